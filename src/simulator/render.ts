/** What a format's renderer gets and gives. */
import type { Json } from "../base/json.ts";
import type { Answer } from "./answer.ts";
import type { Identity } from "./identity.ts";
import type { Prompt } from "./prompt.ts";
import type { Signer } from "./signature.ts";

/** Everything an answer is rendered from. */
export interface RenderContext {
  readonly prompt: Prompt;
  readonly answer: Answer;
  readonly identity: Identity;
  readonly signer: Signer;
  /** Seconds since the epoch. */
  readonly createdSeconds: number;
  /** Told the id and content of a Messages answer, as sent. */
  readonly remember: (id: string, content: readonly Json[]) => void;
  /** Request id of the answer. */
  readonly requestId: string;
}

/** One format's answers. */
export interface Renderer {
  /** The buffered body as JSON text. */
  readonly body: (context: RenderContext) => string;
  /** SSE frames, each with its blank line, terminal included. */
  readonly stream: (context: RenderContext) => readonly string[];
}

/** A counter of the length of padding, from the text it stands beside: varied, yet the same every time. */
export function paddingLength(text: string, most: number): number {
  return (text.length * 7 + 3) % (most + 1);
}
