/** Decides what the simulated model says: a prompt and its control words in, a neutral answer out. No randomness, no clock. */
import type { Json } from "../base/json.ts";
import { findControl, numberOf, withoutControls, type Control } from "./controls.ts";
import type { CacheUse } from "./cache.ts";
import type { OfferedTool, Prompt } from "./prompt.ts";
import { countTokens } from "./refusal.ts";
import { sampleFor } from "./sample.ts";

/** One thing an answer holds, in order. */
export type Part =
  | { readonly kind: "thinking"; readonly text: string; readonly redacted: boolean }
  | { readonly kind: "text"; readonly text: string; readonly cited: boolean }
  | { readonly kind: "refusal"; readonly text: string }
  | {
      readonly kind: "tool";
      readonly name: string;
      readonly arguments: string;
      readonly custom: boolean;
      readonly namespace?: string;
    }
  | { readonly kind: "search"; readonly query: string };

/** Why the answer ends; `pause`: a server tool's turn that the client is to send back. */
export type Stop = "end" | "tool" | "length" | "stop-sequence" | "refusal" | "filter" | "pause";

/** Tokens of an answer, reasoning included in its output. */
export interface AnswerUsage extends CacheUse {
  readonly outputTokens: number;
  readonly reasoningTokens: number;
}

/** What the model says, in no provider's shape. */
export interface Answer {
  readonly parts: readonly Part[];
  readonly stop: Stop;
  readonly stopSequence: string | null;
  readonly usage: AnswerUsage;
  /** Characters (code points) a text delta carries; null: by words. */
  readonly chunkSize: number | null;
}

/** The source that searches and citations name. */
export const SEARCH_RESULT = {
  url: "https://example.com/simulated",
  title: "A simulated page",
  cited: "Everything on this page is made up.",
} as const;

const UNICODE = "Grüße, Zoë — 日本語のテキスト, 한국어, עברית: 👩‍👩‍👧 🏳️‍🌈 𝒳 ≠ 𝒴.";
const REFUSAL = "I'm sorry, but I can't help with that request.";
/** Words of the `long` text, one a chunk. */
const WORD_TOKENS = 2;

/** Composes the answer; the same prompt and words give the same answer. */
export function composeAnswer(prompt: Prompt, controls: readonly Control[], cache: CacheUse): Answer {
  const wanted = composeParts(prompt, controls);
  const cut = cutAtStops(wanted, prompt.stops);
  const limited = cutAtLimit(cut.parts, prompt.maxTokens, findControl(controls, "length") !== null);
  const parts = limited.parts;
  const stop = limited.cut ? "length" : decideStop(parts, controls, cut.stopSequence);
  const reasoningTokens = sum(parts.map((part) => (part.kind === "thinking" ? countTokens(part.text) : 0)));
  return {
    parts,
    stop,
    stopSequence: stop === "stop-sequence" ? cut.stopSequence : null,
    usage: overrideUsage({ ...cache, outputTokens: Math.max(1, sum(parts.map(tokensOf))), reasoningTokens }, controls),
    chunkSize: findControl(controls, "chunk") === null ? null : numberOf(findControl(controls, "chunk")?.values[0], 1),
  };
}

function composeParts(prompt: Prompt, controls: readonly Control[]): readonly Part[] {
  const parts: Part[] = [];
  if (prompt.thinks) {
    const asked = findControl(controls, "thinking")?.values[0];
    const text = asked ?? `The user wants an answer to: ${excerpt(prompt.text, 60)}`;
    parts.push({ kind: "thinking", text, redacted: findControl(controls, "redacted") !== null });
  }
  if (findControl(controls, "empty") !== null) return parts;
  const refusal = findControl(controls, "refusal");
  if (refusal !== null) return [...parts, { kind: "refusal", text: refusal.values[0] ?? REFUSAL }];
  const search = findControl(controls, "search") ?? findControl(controls, "pause");
  if (search !== null && prompt.searches && !prompt.continues)
    parts.push({ kind: "search", query: search.values[0] ?? excerpt(prompt.text, 40) });
  if (findControl(controls, "pause") !== null && prompt.searches && !prompt.continues) return parts;
  const calls = composeCalls(prompt, controls);
  const text = composeText(prompt, controls, calls.length > 0);
  if (text !== "")
    parts.push({
      kind: "text",
      text,
      cited: findControl(controls, "citations") !== null || parts.some((part) => part.kind === "search"),
    });
  return [...parts, ...calls];
}

function composeCalls(prompt: Prompt, controls: readonly Control[]): readonly Part[] {
  const { toolChoice, tools } = prompt;
  if (tools.length === 0 || toolChoice === "none") return [];
  const single = findControl(controls, "tools");
  const parallel = findControl(controls, "parallel");
  const forced = toolChoice !== "auto";
  // A loop ends: once results are there, the words that asked for the call are answered. A forced choice stays forced.
  const asked = (single !== null || parallel !== null) && prompt.toolResults.length === 0;
  if (!forced && !asked) return [];
  const count = parallel !== null && prompt.parallelTools && asked ? numberOf(parallel.values[0], 2) : 1;
  const wantedName = typeof toolChoice === "object" ? toolChoice.name : single?.values[0];
  const first = Math.max(
    0,
    tools.findIndex((tool) => tool.name === wantedName || (tool.namespace ?? "") + "__" + tool.name === wantedName),
  );
  return Array.from({ length: count }, (_, index): Part => {
    const fixed = typeof toolChoice === "object" || wantedName !== undefined;
    const tool = tools[fixed ? first : index % tools.length];
    return callOf(tool ?? { name: "unknown", schema: {}, custom: false }, index, prompt, single ?? parallel, controls);
  });
}

function callOf(
  tool: OfferedTool,
  index: number,
  prompt: Prompt,
  control: Control | null,
  controls: readonly Control[],
): Part {
  const hint = index === 0 ? "simulated" : `simulated ${index + 1}`;
  const sample = tool.custom ? excerpt(prompt.text, 80) : JSON.stringify(sampleFor(tool.schema, hint));
  const given = control?.options.get("arguments");
  const text = findControl(controls, "bad-arguments") === null ? (given ?? sample) : sample.slice(0, -1);
  const namespace = tool.namespace === undefined ? {} : { namespace: tool.namespace };
  return { kind: "tool", name: tool.name, arguments: text, custom: tool.custom, ...namespace };
}

function composeText(prompt: Prompt, controls: readonly Control[], calls: boolean): string {
  const fixed = findControl(controls, "text");
  if (fixed !== null) return fixed.values[0] ?? "";
  if (findControl(controls, "echo") !== null) return withoutControls(prompt.text);
  if (findControl(controls, "unicode") !== null) return UNICODE;
  const long = findControl(controls, "long");
  if (long !== null)
    return Array.from({ length: numberOf(long.values[0], 100) }, (_, index) => `word${index + 1}`).join(" ");
  if (calls) return "";
  if (prompt.output.kind !== "text") return composeJson(prompt, controls);
  if (prompt.toolResults.length > 0)
    return `The tool answered: ${prompt.toolResults.map((result) => excerpt(result, 200)).join(" | ")}`;
  return `Here is a short answer to "${excerpt(prompt.text, 120)}".`;
}

function composeJson(prompt: Prompt, controls: readonly Control[]): string {
  const schema: Json =
    prompt.output.kind === "schema"
      ? prompt.output.schema
      : { type: "object", properties: { answer: { type: "string" } } };
  const document = JSON.stringify(sampleFor(schema, "simulated"));
  if (findControl(controls, "invalid-json") !== null) return document.slice(0, -1);
  // An array of an unlikely object satisfies no object schema, and an object with an unlikely name no array schema.
  if (findControl(controls, "wrong-json") !== null)
    return document.startsWith("[") ? '{"unexpected":true}' : '[{"unexpected":true}]';
  if (findControl(controls, "fenced-json") !== null) return `\`\`\`json\n${document}\n\`\`\``;
  return document;
}

function cutAtStops(
  parts: readonly Part[],
  stops: readonly string[],
): { parts: readonly Part[]; stopSequence: string | null } {
  const done: Part[] = [];
  for (const part of parts) {
    if (part.kind === "text") {
      const hits = stops
        .filter((stop) => stop !== "")
        .map((stop) => ({ stop, at: part.text.indexOf(stop) }))
        .filter(({ at }) => at !== -1);
      const hit = hits.toSorted((a, b) => a.at - b.at)[0];
      if (hit !== undefined) {
        if (hit.at > 0) done.push({ ...part, text: part.text.slice(0, hit.at) });
        return { parts: done, stopSequence: hit.stop };
      }
    }
    done.push(part);
  }
  return { parts: done, stopSequence: null };
}

function cutAtLimit(
  parts: readonly Part[],
  maxTokens: number | null,
  always: boolean,
): { parts: readonly Part[]; cut: boolean } {
  const total = sum(parts.map(tokensOf));
  let left = always ? Math.max(1, Math.floor(Math.min(total, maxTokens ?? total) / 2)) : (maxTokens ?? total);
  if (left >= total) return { parts, cut: false };
  const kept: Part[] = [];
  for (const part of parts) {
    const cost = tokensOf(part);
    if (cost <= left) {
      kept.push(part);
      left -= cost;
      continue;
    }
    if (left > 0 && part.kind === "tool") kept.push({ ...part, arguments: part.arguments.slice(0, left * 4) });
    if (left > 0 && (part.kind === "text" || part.kind === "thinking"))
      kept.push({ ...part, text: sliceWhole(part.text, left * 4) });
    break;
  }
  return { parts: kept, cut: true };
}

/** The first `length` UTF-16 units without half of a surrogate pair. */
function sliceWhole(text: string, length: number): string {
  const cut = text.slice(0, length);
  return cut.isWellFormed() ? cut : cut.slice(0, -1);
}

function decideStop(parts: readonly Part[], controls: readonly Control[], stopSequence: string | null): Stop {
  if (findControl(controls, "filter") !== null) return "filter";
  if (stopSequence !== null) return "stop-sequence";
  if (parts.some((part) => part.kind === "refusal")) return "refusal";
  if (parts.some((part) => part.kind === "tool")) return "tool";
  return findControl(controls, "pause") !== null && parts.at(-1)?.kind === "search" ? "pause" : "end";
}

function overrideUsage(usage: AnswerUsage, controls: readonly Control[]): AnswerUsage {
  const options = findControl(controls, "usage")?.options;
  if (options === undefined) return usage;
  return {
    inputTokens: numberOf(options.get("input"), usage.inputTokens),
    readTokens: numberOf(options.get("cache-read"), usage.readTokens),
    writeTokens: numberOf(options.get("cache-write"), usage.writeTokens),
    writeLongTokens: numberOf(options.get("cache-write-long"), usage.writeLongTokens),
    outputTokens: numberOf(options.get("output"), usage.outputTokens),
    reasoningTokens: numberOf(options.get("reasoning"), usage.reasoningTokens),
  };
}

function tokensOf(part: Part): number {
  switch (part.kind) {
    case "tool":
      return countTokens(part.arguments) + WORD_TOKENS;
    case "search":
      return countTokens(part.query) + WORD_TOKENS;
    case "thinking":
    case "text":
    case "refusal":
      return countTokens(part.text);
    default:
      return part satisfies never;
  }
}

/** Start of a prompt as one line, control words removed. */
function excerpt(text: string, length: number): string {
  const line = withoutControls(text).replace(/\s+/g, " ").trim();
  return line.length <= length ? line : `${sliceWhole(line, length)}…`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Cuts text into the pieces that its deltas carry; joined they are the text again. */
export function cutText(text: string, chunkSize: number | null): readonly string[] {
  if (chunkSize === null) return text.match(/\S*\s*/gu)?.filter((piece) => piece !== "") ?? [];
  const points = Array.from(text);
  const pieces: string[] = [];
  for (let at = 0; at < points.length; at += chunkSize) pieces.push(points.slice(at, at + chunkSize).join(""));
  return pieces;
}
