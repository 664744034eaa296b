/** What buffered and streamed answers have in common. */
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { readUsage } from "../../wire/openai-responses/usage.ts";
import type { Finish } from "../chat-client/chunk-writer.ts";
import { renderChatUsage } from "../maps/usage.ts";
import { responseFinish } from "../response-reader.ts";
import type { FieldRow } from "../translator.ts";
import type { ReplyPlan } from "./draft.ts";

/** Between two message items: their texts share one `content`. */
export const MESSAGE_SEPARATOR = "\n\n";

/** What becomes of the parts of an answer. */
export const REPLY_ROWS: readonly FieldRow[] = [
  { field: "answer: id", outcomes: ["M"], becomes: "`chatcmpl-` and the upstream's id without `resp_`" },
  {
    field: "answer: choices[0].message.content",
    outcomes: ["M"],
    becomes: "the text of all message items, joined by an empty line",
  },
  {
    field: "answer: choices[0].message.tool_calls",
    outcomes: ["M"],
    becomes: "calls in order; the provider's own searches are none",
  },
  { field: "answer: choices[0].message.refusal", outcomes: ["M"], becomes: "the same" },
  {
    field: "answer: choices[0].message.annotations",
    outcomes: ["M"],
    becomes: "URL citations, their places counted in the whole content",
  },
  {
    field: "answer: choices[0].message.reasoning_content, .reasoning_details",
    outcomes: ["M"],
    becomes: "the summary, and the encrypted reasoning to be sent back (extensions)",
  },
  {
    field: "answer: choices[0].finish_reason",
    outcomes: ["M"],
    becomes:
      "`length` and `content_filter` of an incomplete answer, `tool_calls` with a call, else `stop`; `native_finish_reason` holds the status (extension)",
  },
  { field: "answer: usage", outcomes: ["M"], becomes: "the same counts under Chat's names" },
];

/** The answer's id for Chat clients. */
export function chatId(id: Json | undefined): string {
  return `chatcmpl-${isString(id) ? id.replace(/^resp_/, "") : ""}`;
}

/** Why the answer ended; `isStopped`: the gateway matched a stop sequence. */
export function planFinish(plan: ReplyPlan, response: JsonObject, calls: number, isStopped: boolean): Finish {
  if (isStopped) return { reason: "stop", native: "stop_sequence" };
  const word = responseFinish(response);
  const status = own(own(response, "incomplete_details"), "reason") ?? own(response, "status");
  const native = isString(status) ? status : null;
  if (word !== "stop" || calls === 0) return { reason: word, native };
  return { reason: plan.legacyFunctions ? "function_call" : "tool_calls", native };
}

/** Annotations of a message item in Chat's shape, moved by `offset` characters of the content before it. */
export function renderAnnotations(item: JsonObject, offset: number): readonly JsonObject[] {
  const found: JsonObject[] = [];
  let start = offset;
  for (const part of list(own(item, "content"))) {
    for (const annotation of list(own(part, "annotations"))) {
      const rendered = renderAnnotation(annotation, start);
      if (rendered !== null) found.push(rendered);
    }
    const text = own(part, "text");
    if (isString(text)) start += text.length;
  }
  return found;
}

function renderAnnotation(annotation: Json, offset: number): JsonObject | null {
  if (own(annotation, "type") !== "url_citation") return null;
  const place = (key: string): number => {
    const at = own(annotation, key);
    return offset + (typeof at === "number" ? at : 0);
  };
  return {
    type: "url_citation",
    url_citation: {
      url: own(annotation, "url") ?? "",
      title: own(annotation, "title") ?? "",
      start_index: place("start_index"),
      end_index: place("end_index"),
    },
  };
}

function list(value: Json | undefined): readonly Json[] {
  return isArray(value) ? value : [];
}

/** `usage` of a Response under Chat's names; null when it told none. */
export function chatUsage(response: JsonObject): JsonObject | null {
  const usage = readUsage(own(response, "usage"));
  return usage === null ? null : renderChatUsage(usage);
}

/** When the answer was made, seconds since the epoch. */
export function createdAt(response: Json | undefined, fallbackSeconds: number): number {
  const at = own(response, "created_at");
  return typeof at === "number" ? Math.floor(at) : fallbackSeconds;
}

/** The model that answered. */
export function modelOf(response: Json | undefined, plan: ReplyPlan, shown: string | null): string {
  const model = isObject(response) ? own(response, "model") : undefined;
  return shown ?? (isString(model) ? model : plan.modelId);
}
