/** What buffered and streamed answers share. */
import { sha256Hex } from "../../base/ids.ts";
import { isString, own, type Json, type JsonObject } from "../../base/json.ts";
import { mintSignature } from "../maps/reasoning-signature.ts";
import { createStopScanner } from "../stop-scanner.ts";
import type { FieldRow, ReplyContext } from "../translator.ts";

/** What the reply side keeps of its request. */
export interface ReplySettings {
  /** Model that was asked. */
  readonly modelId: string;
  /** The client's tool name for the one that was sent. */
  readonly restoreName: (name: string) => string;
  /** Stop sequences to match in the text. */
  readonly stops: readonly string[];
  /** Text that the answer must not repeat at its beginning; null for none. */
  readonly prefill: string | null;
  /** Whether the model searches the web: its citations need the text they point into. */
  readonly searches: boolean;
}

/** What holds on either API. */
export const REPLY_ROWS: readonly FieldRow[] = [
  { field: "answer: id", outcomes: ["M"], becomes: "`msg_` and the letters and digits of the upstream's id." },
  { field: "answer: model", outcomes: ["M"], becomes: "The model that answered." },
  {
    field: "answer: content[].input",
    outcomes: ["M", "A"],
    becomes:
      'The arguments, empty ones as `{}`; what is not a JSON object becomes `{"_raw_arguments": …}`, so that a cut call does not look executable.',
  },
  {
    field: "answer: stop_reason",
    outcomes: ["M"],
    becomes:
      "`stop` as `end_turn`, or `tool_use` when there is a call; `length` as `max_tokens`; `content_filter` and refusals as `refusal`; `stop_sequence` when the gateway matched one.",
  },
  {
    field: "answer: usage",
    outcomes: ["M"],
    becomes:
      "`input_tokens` without cache reads and writes, which have counters of their own; `service_tier` `default` as `standard`, `priority` and `fast` as `priority`.",
  },
];

const UPSTREAM_PREFIX = /^(?:chatcmpl-|resp_)/;
const NOT_OF_IDS = /[^A-Za-z0-9]/g;

/** Id of the Message: `msg_` and the upstream id's letters and digits; derived from `context` when there is none. */
export function messageId(upstreamId: Json | undefined, context: ReplyContext): string {
  const id = isString(upstreamId) ? upstreamId.replace(UPSTREAM_PREFIX, "").replace(NOT_OF_IDS, "") : "";
  return `msg_${id === "" ? sha256Hex(`${context.createdSeconds}`, 24) : id}`;
}

/** Model to name in the answer. */
export function modelShown(upstreamModel: Json | undefined, settings: ReplySettings, context: ReplyContext): string {
  if (context.modelShown !== null) return context.modelShown;
  return isString(upstreamModel) && upstreamModel !== "" ? upstreamModel : settings.modelId;
}

/** Reasoning as text, which some upstreams add to a message or delta; "" without. */
export function reasoningText(message: Json | undefined): string {
  const content = own(message, "reasoning_content");
  if (isString(content) && content !== "") return content;
  const reasoning = own(message, "reasoning");
  return isString(reasoning) ? reasoning : "";
}

/** Signature for reasoning that came as text: it cannot be sent back, but SDK types require one. */
export function textSignature(upstreamId: Json | undefined, model: string): string {
  return mintSignature({ id: isString(upstreamId) ? upstreamId : null, encryptedContent: null, model });
}

/** Which of two choices' finish reasons tells more about the merged answer. */
export function mergeFinish(earlier: string | null, later: string | null): string | null {
  return earlier === "length" || earlier === "content_filter" || later === null ? earlier : later;
}

/** Text on its way to the client: cut at a stop sequence, freed of a repeated prefill. */
export interface TextFilter {
  /** Takes more text, returns what may be shown. */
  readonly push: (text: string) => string;
  /** What was held back; call where the text ends or is interrupted. */
  readonly end: () => string;
  /** The stop sequence that ended the text. */
  readonly matched: string | null;
}

/** Creates the filter for one answer. */
export function createTextFilter(settings: ReplySettings): TextFilter {
  const echo = createEchoFilter(settings.prefill ?? "");
  const scanner = settings.stops.length === 0 ? null : createStopScanner(settings.stops);
  return {
    push: (text) => {
      const rest = echo.push(text);
      return scanner === null || rest === "" ? rest : scanner.push(rest);
    },
    end: () => {
      const rest = echo.end();
      return scanner === null ? rest : scanner.push(rest) + scanner.end();
    },
    get matched() {
      return scanner === null ? null : scanner.matched;
    },
  };
}

/** A whole text as it may be shown, and the stop sequence that ended it. */
export function filterText(
  settings: ReplySettings,
  text: string,
): { readonly text: string; readonly matched: string | null } {
  if (settings.prefill === null && settings.stops.length === 0) return { text, matched: null };
  const filter = createTextFilter(settings);
  const shown = filter.push(text) + filter.end();
  return { text: shown, matched: filter.matched };
}

/** Drops `prefix` from the beginning of a text that repeats it; holds back only while the text may still do so. */
function createEchoFilter(prefix: string): Pick<TextFilter, "push" | "end"> {
  let isOpen = prefix !== "";
  let held = "";
  const release = (text: string): string => {
    isOpen = false;
    held = "";
    return text;
  };
  return {
    push: (text) => {
      if (!isOpen) return text;
      held += text;
      if (held.startsWith(prefix)) return release(held.slice(prefix.length));
      return prefix.startsWith(held) ? "" : release(held);
    },
    end: () => release(held),
  };
}

/**
 * Anthropic's citation for an OpenAI `url_citation` (Chat holds its fields in an object of that name); null for other
 * annotations. `text` is what its span points into.
 */
export function renderCitation(annotation: Json, text: string): JsonObject | null {
  const citation = own(annotation, "url_citation") ?? annotation;
  const url = own(citation, "url");
  if (own(annotation, "type") !== "url_citation" || !isString(url)) return null;
  const start = own(citation, "start_index");
  const end = own(citation, "end_index");
  const hasSpan = typeof start === "number" && typeof end === "number";
  return {
    type: "web_search_result_location",
    url,
    title: own(citation, "title") ?? null,
    encrypted_index: "",
    cited_text: hasSpan ? text.slice(start, end) : "",
  };
}
