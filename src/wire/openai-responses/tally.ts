import { isString, own } from "../../base/json.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { readString } from "../facts.ts";
import type { InBandError, ReplyFacts, ReplyToolCall, StreamTally, TallyOptions } from "../format.ts";
import { estimateOutputTokens } from "../tokens.ts";
import { utf8Length } from "../utf8-length.ts";
import { classifyStop, isToolCall, readError, readToolCall } from "./reply.ts";
import { readUsage } from "./usage.ts";

/** Events whose `delta` is content. */
const CONTENT_DELTAS: ReadonlySet<string> = new Set([
  "response.output_text.delta",
  "response.refusal.delta",
  "response.function_call_arguments.delta",
  "response.custom_tool_call_input.delta",
  "response.reasoning_summary_text.delta",
  "response.reasoning_text.delta",
]);

/**
 * Reads the events of a Responses stream. It is complete at `response.completed` or `response.incomplete`; a
 * `response.failed` or `error` event is an error.
 */
export function openTally(options: TallyOptions): StreamTally {
  const calls: ReplyToolCall[] = [];
  let response: Json | undefined;
  let error: InBandError | null = null;
  let text = "";
  let refusal: string | null = null;
  let started = false;
  let complete = false;
  let contentBytes = 0;

  const readDelta = (type: string, delta: string): void => {
    contentBytes += utf8Length(delta);
    if (type === "response.output_text.delta") options.onText?.(0, delta);
    if (type === "response.refusal.delta") refusal = options.collect ? (refusal ?? "") + delta : "";
    else if (type === "response.output_text.delta" && options.collect) text += delta;
  };

  const read = (json: JsonObject): void => {
    const type = own(json, "type");
    if (!isString(type)) {
      error ??= readError(json);
      return;
    }
    const delta = own(json, "delta");
    if (isString(delta)) {
      if (CONTENT_DELTAS.has(type)) readDelta(type, delta);
      return;
    }
    switch (type) {
      case "response.output_item.added":
        started = true;
        break;
      case "response.output_item.done": {
        const item = own(json, "item") ?? null;
        if (isToolCall(item))
          calls.push(options.collect ? readToolCall(item) : { ...readToolCall(item), arguments: "" });
        break;
      }
      case "response.completed":
      case "response.incomplete":
        complete = true;
        response = own(json, "response");
        break;
      case "response.failed":
        response = own(json, "response");
        error ??= readError(json);
        break;
      case "error":
        error ??= readError(json);
        break;
      default:
        response ??= own(json, "response");
    }
  };

  const facts = (): ReplyFacts => ({
    id: readString(own(response, "id")),
    model: readString(own(response, "model")),
    choices: [{ text, toolCalls: calls, refusal, stop: classifyStop(response, calls.length > 0, refusal !== null) }],
    usage: readUsage(own(response, "usage")),
    serviceTier: readString(own(response, "service_tier")),
  });

  return {
    read,
    readDone: () => undefined,
    get started() {
      return started;
    },
    get contentBytes() {
      return contentBytes;
    },
    get complete() {
      return complete;
    },
    get done() {
      return complete;
    },
    get error() {
      return error;
    },
    get outputEstimate() {
      return estimateOutputTokens(contentBytes, "openai");
    },
    facts,
  };
}
