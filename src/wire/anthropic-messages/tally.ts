import { isObject, isString, own } from "../../base/json.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { readErrorEnvelope } from "../errors.ts";
import { readString } from "../facts.ts";
import type { InBandError, ReplyFacts, StreamTally, TallyOptions } from "../format.ts";
import { estimateOutputTokens } from "../tokens.ts";
import { utf8Length } from "../utf8-length.ts";
import { classifyStop, readRefusal } from "./reply.ts";
import { mergeUsage, readUsage } from "./usage.ts";

interface CallState {
  readonly id: string;
  readonly name: string;
  /** Input given whole at the block's start; deltas, when there are any, replace it. */
  readonly whole: string;
  fragments: string;
}

/** Fields of a delta that hold text, by delta type. */
const DELTA_TEXT: Readonly<Record<string, string>> = {
  text_delta: "text",
  input_json_delta: "partial_json",
  thinking_delta: "thinking",
};

/** Reads the events of a Messages stream. It is complete at `message_stop`; usage is what was reported last. */
export function openTally(options: TallyOptions): StreamTally {
  const calls = new Map<Json | undefined, CallState>();
  let id: string | null = null;
  let model: string | null = null;
  let usage: JsonObject | null = null;
  let error: InBandError | null = null;
  let stopReason: Json | undefined;
  let stopDetails: Json | undefined;
  let text = "";
  let started = false;
  let complete = false;
  let contentBytes = 0;

  const readStart = (json: JsonObject): void => {
    started = true;
    const block = own(json, "content_block");
    const type = own(block, "type");
    if (type === "tool_use") {
      const input = own(block, "input");
      const whole = isObject(input) && Object.keys(input).length > 0 ? JSON.stringify(input) : "";
      contentBytes += utf8Length(whole);
      calls.set(own(json, "index"), {
        id: readString(own(block, "id")) ?? "",
        name: readString(own(block, "name")) ?? "",
        whole,
        fragments: "",
      });
    } else if (type === "text") {
      takeText("text_delta", readString(own(block, "text")) ?? "", json);
    }
  };

  const takeText = (type: string, fragment: string, json: JsonObject): void => {
    if (fragment === "") return;
    contentBytes += utf8Length(fragment);
    if (type === "text_delta") options.onText?.(0, fragment);
    if (!options.collect) return;
    if (type === "text_delta") text += fragment;
    else if (type === "input_json_delta") {
      const call = calls.get(own(json, "index"));
      if (call !== undefined) call.fragments += fragment;
    }
  };

  const readDelta = (json: JsonObject): void => {
    const delta = own(json, "delta");
    const type = own(delta, "type");
    if (!isString(type) || !Object.hasOwn(DELTA_TEXT, type)) return;
    const fragment = own(delta, DELTA_TEXT[type] ?? "");
    if (isString(fragment)) takeText(type, fragment, json);
  };

  const read = (json: JsonObject): void => {
    switch (own(json, "type")) {
      case "content_block_delta":
        readDelta(json);
        break;
      case "content_block_start":
        readStart(json);
        break;
      case "message_start": {
        const message = own(json, "message");
        id = readString(own(message, "id"));
        model = readString(own(message, "model"));
        usage = mergeUsage(usage, own(message, "usage"));
        break;
      }
      case "message_delta": {
        const delta = own(json, "delta");
        stopReason = own(delta, "stop_reason") ?? stopReason;
        stopDetails = own(delta, "stop_details") ?? stopDetails;
        usage = mergeUsage(usage, own(json, "usage"));
        break;
      }
      case "message_stop":
        complete = true;
        break;
      case "error":
        error ??= readErrorEnvelope(json);
        break;
      default:
        // An error without its `type`, as proxies in between write it.
        if (own(json, "error") !== undefined) error ??= readErrorEnvelope(json);
    }
  };

  const facts = (): ReplyFacts => ({
    id,
    model,
    choices: [
      {
        text,
        toolCalls: [...calls.values()].map((call) => ({
          id: call.id,
          name: call.name,
          arguments: options.collect ? call.fragments || call.whole : "",
          kind: "function" as const,
        })),
        refusal: readRefusal(stopReason, stopDetails),
        stop: classifyStop(stopReason),
      },
    ],
    usage: readUsage(usage ?? undefined),
    serviceTier: readString(own(usage, "service_tier")),
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
      return estimateOutputTokens(contentBytes, "anthropic");
    },
    facts,
  };
}
