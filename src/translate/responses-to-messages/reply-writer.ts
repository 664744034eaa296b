/** Turns the blocks of a Message into the items of a Response, and writes the events on the way. */
import { isArray, isString, own, type Json, type JsonObject } from "../../base/json.ts";
import type { Usage } from "../../base/usage.ts";
import { renderResponsesUsage, responsesUsageFromMessages } from "../maps/usage.ts";
import { createArgumentText, type ArgumentText } from "../messages-upstream/argument-text.ts";
import { ownText } from "../messages-upstream/own-text.ts";
import { refusalText, rememberThinking, serviceTier } from "../messages-upstream/reply-parts.ts";
import { createTextChannel } from "../messages-upstream/text-channel.ts";
import { createUsageTotals } from "../messages-upstream/usage-totals.ts";
import { createSurrogateHold } from "../surrogate-hold.ts";
import type { ReplyContext } from "../translator.ts";
import { createEnvelope, incompleteReason, type Envelope } from "./envelope.ts";
import type { EventWriter } from "./events.ts";
import { createOutput, type Output, type OutputCall } from "./output.ts";
import { TOOL_SEARCH, type ResponsesReplyPlan } from "./reply-plan.ts";

/** Takes one answer, continuations included. */
export interface ReplyWriter {
  /** A message begins: the first one opens the Response, further ones continue it. */
  readonly start: (message: Json | undefined) => void;
  readonly startBlock: (index: number, block: JsonObject) => void;
  readonly delta: (index: number, delta: JsonObject) => void;
  readonly stopBlock: (index: number) => void;
  /** What `message_delta` tells, or a whole message of its end. */
  readonly tell: (stopReason: Json | undefined, stopDetails: Json | undefined, usage: Json | undefined) => void;
  /** Closes the items; once. */
  readonly finish: () => void;
  /** The whole Response; `fallback` is its usage where upstream reported none. */
  readonly response: (fallback: Usage | null) => JsonObject;
  readonly stopReason: Json | undefined;
}

type OpenBlock =
  | { readonly kind: "text"; readonly citations: Json[] }
  | { readonly kind: "thinking"; readonly start: JsonObject; text: string; signature: string }
  | { readonly kind: "call"; readonly text: ArgumentText }
  | { readonly kind: "json"; readonly text: ArgumentText }
  | { readonly kind: "search"; readonly start: JsonObject; text: string };

/** Creates the writer of one answer. */
export function createReplyWriter(plan: ResponsesReplyPlan, context: ReplyContext, events: EventWriter): ReplyWriter {
  let envelope: Envelope | null = null;
  let output: Output | null = null;
  const open = new Map<number, OpenBlock>();
  const channel = createTextChannel(plan);
  const hold = createSurrogateHold();
  const totals = createUsageTotals({ reported: responsesUsageFromMessages, estimated: renderResponsesUsage });
  const callIds: string[] = [];
  const thinking: JsonObject[] = [];
  /** Text beside the tool that stands in for structured outputs: shown only when that tool is not called. */
  let spareText = "";
  let sawJson = false;
  let blockStart = 0;
  let tier: string | null = null;
  let stopReason: Json | undefined;
  let stopDetails: Json | undefined;

  const begin = (message: Json | undefined): Output => {
    if (output !== null) return output;
    envelope = createEnvelope(plan, message, context);
    output = createOutput(events, envelope.base);
    const response = envelope.open();
    events.send("response.created", { response });
    events.send("response.in_progress", { response });
    return output;
  };
  const out = (): Output => output ?? begin(undefined);

  const addText = (piece: string): void => {
    if (plan.jsonTool === null) out().text(channel.push(piece));
    else spareText += piece;
  };

  /** What was held back of the text belongs before the next item. */
  const interruptText = (): void => out().text(channel.flush());

  const openTool = (block: JsonObject): OpenBlock => {
    const wireName = ownText(block, "name");
    const text = createArgumentText(plan, wireName, own(block, "input"));
    if (wireName === plan.jsonTool) {
      sawJson = true;
      return { kind: "json", text };
    }
    interruptText();
    const call = describeCall(plan, ownText(block, "id"), wireName);
    callIds.push(call.callId);
    out().openCall(call);
    return { kind: "call", text };
  };

  const openBlock = (block: JsonObject): OpenBlock | null => {
    switch (own(block, "type")) {
      case "text": {
        const citations = own(block, "citations");
        blockStart = out().textLength;
        addText(ownText(block, "text"));
        return { kind: "text", citations: isArray(citations) ? [...citations] : [] };
      }
      case "thinking":
      case "redacted_thinking": {
        interruptText();
        out().openReasoning();
        const text = ownText(block, "thinking");
        out().reasoning(hold.push(text));
        return { kind: "thinking", start: block, text, signature: ownText(block, "signature") };
      }
      case "tool_use":
        return openTool(block);
      case "server_tool_use":
        return own(block, "name") === "web_search" ? { kind: "search", start: block, text: "" } : null;
      default:
        return null;
    }
  };

  const closeBlock = (block: OpenBlock): void => {
    switch (block.kind) {
      case "text":
        for (const citation of block.citations) annotate(out(), citation, blockStart);
        return;
      case "thinking": {
        const whole = wholeThinking(block);
        thinking.push(whole);
        out().reasoning(hold.end());
        out().closeReasoning(whole);
        return;
      }
      case "call":
        // The item stays open: whether its call is whole is told at the end of the answer only.
        out().input(hold.push(block.text.end()) + hold.end());
        return;
      case "json":
        out().text(hold.push(block.text.end()) + hold.end());
        return;
      case "search":
        interruptText();
        out().webSearch(searchQuery(block));
        return;
      default:
        block satisfies never;
    }
  };

  return {
    get stopReason() {
      return stopReason;
    },
    start: (message) => {
      const usage = own(message, "usage");
      totals.start(usage);
      tier = serviceTier(own(usage, "service_tier")) ?? tier;
      begin(message);
    },
    startBlock: (index, block) => {
      const opened = openBlock(block);
      if (opened !== null) open.set(index, opened);
    },
    delta: (index, delta) => {
      const block = open.get(index);
      if (block === undefined) return;
      switch (block.kind) {
        case "text": {
          const citation = own(delta, "citation");
          if (citation === undefined) addText(ownText(delta, "text"));
          else block.citations.push(citation);
          return;
        }
        case "thinking": {
          const piece = ownText(delta, "thinking");
          block.signature += ownText(delta, "signature");
          block.text += piece;
          out().reasoning(hold.push(piece));
          return;
        }
        case "call":
          out().input(hold.push(block.text.push(ownText(delta, "partial_json"))));
          return;
        case "json":
          out().text(hold.push(block.text.push(ownText(delta, "partial_json"))));
          return;
        case "search":
          block.text += ownText(delta, "partial_json");
          return;
        default:
          block satisfies never;
      }
    },
    stopBlock: (index) => {
      const block = open.get(index);
      if (block === undefined) return;
      open.delete(index);
      closeBlock(block);
    },
    tell: (reason, details, usage) => {
      stopReason = reason ?? stopReason;
      stopDetails = details ?? stopDetails;
      totals.update(usage);
    },
    finish: () => {
      const isWhole = incompleteReason(stopReason) === null;
      if (!sawJson && spareText !== "") out().text(channel.push(spareText));
      interruptText();
      out().close(isWhole ? "completed" : "incomplete");
      const refusal = refusalText(stopReason, stopDetails);
      if (refusal !== null) out().refusal(refusal);
      rememberThinking(plan, callIds, thinking);
    },
    response: (fallback) => {
      const items = out().items;
      const usage = totals.render(fallback, false);
      const end = { output: items, incomplete: incompleteReason(stopReason), usage, serviceTier: tier };
      return (envelope ?? createEnvelope(plan, undefined, context)).close(end);
    },
  };
}

function describeCall(plan: ResponsesReplyPlan, callId: string, wireName: string): OutputCall {
  const flat = plan.names.restore(wireName);
  if (plan.searchesTools && flat === TOOL_SEARCH) return { callId, name: flat, namespace: null, shape: "search" };
  const found = plan.namespaced.get(flat);
  const shape = plan.customTools.has(wireName) ? "custom" : "function";
  return { callId, name: found?.name ?? flat, namespace: found?.namespace ?? null, shape };
}

function wholeThinking(block: Extract<OpenBlock, { kind: "thinking" }>): JsonObject {
  if (own(block.start, "type") === "redacted_thinking") return block.start;
  return { type: "thinking", thinking: block.text, signature: block.signature };
}

/** Adds a citation of the web to the text since `start`; other citations have no shape in Responses. */
function annotate(output: Output, citation: Json, start: number): void {
  const url = own(citation, "url");
  if (own(citation, "type") !== "web_search_result_location" || !isString(url)) return;
  const title = ownText(citation, "title");
  output.annotate({ type: "url_citation", url, title, start_index: start, end_index: output.textLength });
}

function searchQuery({ start, text }: Extract<OpenBlock, { kind: "search" }>): string {
  if (text === "") return ownText(own(start, "input"), "query");
  try {
    return ownText(JSON.parse(text), "query");
  } catch {
    return "";
  }
}
