/** What the simulated model reads of a request, whichever provider and format it came in. */
import { sha256Hex } from "../base/ids.ts";
import type { Json, JsonObject } from "../base/json.ts";
import type { FormatName, ProviderName } from "../base/names.ts";

/** A tool the model may call. */
export interface OfferedTool {
  readonly name: string;
  readonly schema: Json;
  readonly custom: boolean;
  /** Responses: the namespace that it stands in. */
  readonly namespace?: string;
}

/** How the answer's text must look. */
export type OutputForm =
  { readonly kind: "text" } | { readonly kind: "json" } | { readonly kind: "schema"; readonly schema: Json };

/** One block of the prompt in canonical form; equal prompts have equal blocks, however their messages were cut. */
export interface PromptBlock {
  readonly role: string;
  /** JSON of the block without cache markers. */
  readonly text: string;
  /** Cache lifetime asked for at this block; null without a marker. */
  readonly marker: "5m" | "1h" | null;
}

/** A request, read. */
export interface Prompt {
  readonly provider: ProviderName;
  readonly format: FormatName;
  /** As asked for. */
  readonly model: string;
  /** As answered. */
  readonly answersAs: string;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly obfuscated: boolean;
  /** Text of the last user message, control words included. */
  readonly text: string;
  /** Tool results that came after that text: the model is inside a tool loop. */
  readonly toolResults: readonly string[];
  readonly tools: readonly OfferedTool[];
  readonly toolChoice: "auto" | "none" | "any" | { readonly name: string };
  readonly parallelTools: boolean;
  /** Legacy `functions`: the call is answered as `function_call`. */
  readonly legacyFunctions: boolean;
  readonly output: OutputForm;
  readonly maxTokens: number | null;
  readonly stops: readonly string[];
  readonly choices: number;
  readonly logprobs: boolean;
  readonly thinks: boolean;
  /** Thinking text is shown (Anthropic summarized, OpenAI reasoning summary). */
  readonly showsThinking: boolean;
  /** Responses: `reasoning.encrypted_content` was asked for. */
  readonly encryptedReasoning: boolean;
  /** The web search server tool is offered. */
  readonly searches: boolean;
  /** The last turn is an assistant's own unfinished one (pause_turn). */
  readonly continues: boolean;
  readonly blocks: readonly PromptBlock[];
  /** Cache writes are counted only at markers; otherwise every prompt of at least this many tokens is cached. */
  readonly cacheMinTokens: number;
  readonly cacheNeedsMarker: boolean;
  readonly reportsCacheWrites: boolean;
  readonly serviceTier: string | null;
  /** The request, for the fields an answer repeats (Responses). */
  readonly request: JsonObject;
}

/** Rolling hashes of the prompt: entry i is the hash of the first i blocks. */
export function prefixHashes(blocks: readonly PromptBlock[]): readonly string[] {
  const hashes = [""];
  for (const block of blocks) {
    hashes.push(sha256Hex(`${hashes[hashes.length - 1] ?? ""}\n${block.role}\n${block.text}`, 32));
  }
  return hashes;
}
