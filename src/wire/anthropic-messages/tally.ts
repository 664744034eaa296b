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
class MessagesTally implements StreamTally {
  started = false;
  contentBytes = 0;
  complete = false;
  error: InBandError | null = null;
  readonly #options: TallyOptions;
  #calls: Map<Json | undefined, CallState> | null = null;
  #id: string | null = null;
  #model: string | null = null;
  #usage: JsonObject | null = null;
  #stopReason: Json | undefined = undefined;
  #stopDetails: Json | undefined = undefined;
  #text = "";

  constructor(options: TallyOptions) {
    this.#options = options;
  }

  get done(): boolean {
    return this.complete;
  }

  get outputEstimate(): number {
    return estimateOutputTokens(this.contentBytes, "anthropic");
  }

  read(json: JsonObject): void {
    switch (own(json, "type")) {
      case "content_block_delta":
        this.#readDelta(json);
        break;
      case "content_block_start":
        this.#readStart(json);
        break;
      case "message_start": {
        const message = own(json, "message");
        this.#id = readString(own(message, "id"));
        this.#model = readString(own(message, "model"));
        this.#usage = mergeUsage(this.#usage, own(message, "usage"));
        break;
      }
      case "message_delta": {
        const delta = own(json, "delta");
        this.#stopReason = own(delta, "stop_reason") ?? this.#stopReason;
        this.#stopDetails = own(delta, "stop_details") ?? this.#stopDetails;
        this.#usage = mergeUsage(this.#usage, own(json, "usage"));
        break;
      }
      case "message_stop":
        this.complete = true;
        break;
      case "error":
        this.error ??= readErrorEnvelope(json);
        break;
      default:
        // An error without its `type`, as proxies in between write it.
        if (own(json, "error") !== undefined) this.error ??= readErrorEnvelope(json);
    }
  }

  readDone(): void {
    // Messages streams have no `[DONE]`.
  }

  facts(): ReplyFacts {
    const { collect } = this.#options;
    return {
      id: this.#id,
      model: this.#model,
      choices: [
        {
          text: this.#text,
          toolCalls: [...(this.#calls?.values() ?? [])].map((call) => ({
            id: call.id,
            name: call.name,
            arguments: collect ? call.fragments || call.whole : "",
            kind: "function" as const,
          })),
          refusal: readRefusal(this.#stopReason, this.#stopDetails),
          stop: classifyStop(this.#stopReason),
        },
      ],
      usage: readUsage(this.#usage ?? undefined),
      serviceTier: readString(own(this.#usage, "service_tier")),
    };
  }

  #readStart(json: JsonObject): void {
    this.started = true;
    const block = own(json, "content_block");
    const type = own(block, "type");
    if (type === "tool_use") {
      const input = own(block, "input");
      const whole = isObject(input) && Object.keys(input).length > 0 ? JSON.stringify(input) : "";
      this.contentBytes += utf8Length(whole);
      this.#calls ??= new Map();
      this.#calls.set(own(json, "index"), {
        id: readString(own(block, "id")) ?? "",
        name: readString(own(block, "name")) ?? "",
        whole,
        fragments: "",
      });
    } else if (type === "text") {
      this.#takeText("text_delta", readString(own(block, "text")) ?? "", json);
    }
  }

  #readDelta(json: JsonObject): void {
    const delta = own(json, "delta");
    const type = own(delta, "type");
    if (!isString(type) || !Object.hasOwn(DELTA_TEXT, type)) return;
    const fragment = own(delta, DELTA_TEXT[type] ?? "");
    if (isString(fragment)) this.#takeText(type, fragment, json);
  }

  #takeText(type: string, fragment: string, json: JsonObject): void {
    if (fragment === "") return;
    const { collect, onText } = this.#options;
    this.contentBytes += utf8Length(fragment);
    if (type === "text_delta") onText?.(0, fragment);
    if (!collect) return;
    if (type === "text_delta") this.#text += fragment;
    else if (type === "input_json_delta") {
      const call = this.#calls?.get(own(json, "index"));
      if (call !== undefined) call.fragments += fragment;
    }
  }
}

export function openTally(options: TallyOptions): StreamTally {
  return new MessagesTally(options);
}
