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
class ResponsesTally implements StreamTally {
  started = false;
  contentBytes = 0;
  complete = false;
  error: InBandError | null = null;
  readonly #options: TallyOptions;
  readonly #calls: ReplyToolCall[] = [];
  #response: Json | undefined = undefined;
  #text = "";
  #refusal: string | null = null;

  constructor(options: TallyOptions) {
    this.#options = options;
  }

  get done(): boolean {
    return this.complete;
  }

  get outputEstimate(): number {
    return estimateOutputTokens(this.contentBytes, "openai");
  }

  read(json: JsonObject): void {
    const type = own(json, "type");
    if (!isString(type)) {
      this.error ??= readError(json);
      return;
    }
    const delta = own(json, "delta");
    if (isString(delta)) {
      if (CONTENT_DELTAS.has(type)) this.#readDelta(type, delta);
      return;
    }
    switch (type) {
      case "response.output_item.added":
        this.started = true;
        break;
      case "response.output_item.done": {
        const item = own(json, "item") ?? null;
        if (!isToolCall(item)) break;
        const call = readToolCall(item);
        this.#calls.push(this.#options.collect ? call : { ...call, arguments: "" });
        break;
      }
      case "response.completed":
      case "response.incomplete":
        this.complete = true;
        this.#response = own(json, "response");
        break;
      case "response.failed":
        this.#response = own(json, "response");
        this.error ??= readError(json);
        break;
      case "error":
        this.error ??= readError(json);
        break;
      default:
        this.#response ??= own(json, "response");
    }
  }

  readDone(): void {
    // Responses streams have no `[DONE]`.
  }

  facts(): ReplyFacts {
    const response = this.#response;
    const stop = classifyStop(response, this.#calls.length > 0, this.#refusal !== null);
    return {
      id: readString(own(response, "id")),
      model: readString(own(response, "model")),
      choices: [{ text: this.#text, toolCalls: this.#calls, refusal: this.#refusal, stop }],
      usage: readUsage(own(response, "usage")),
      serviceTier: readString(own(response, "service_tier")),
    };
  }

  #readDelta(type: string, delta: string): void {
    const { collect, onText } = this.#options;
    this.contentBytes += utf8Length(delta);
    if (type === "response.output_text.delta") onText?.(0, delta);
    if (type === "response.refusal.delta") this.#refusal = collect ? (this.#refusal ?? "") + delta : "";
    else if (type === "response.output_text.delta" && collect) this.#text += delta;
  }
}

export function openTally(options: TallyOptions): StreamTally {
  return new ResponsesTally(options);
}
