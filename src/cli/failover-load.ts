/** Streaming clients for the failover demonstration, and what each of them saw. */
import type { Clock } from "../base/clock.ts";
import { own, type Json } from "../base/json.ts";
import { createSseDecoder } from "../wire/sse/decode.ts";

/** What clients saw. */
export interface FailoverCounts {
  readonly requests: number;
  /** Whole answers. */
  readonly whole: number;
  /** Of those, answered by another model than the one asked for. */
  readonly moved: number;
  /** HTTP errors, and streams that ended in an error before any content. */
  readonly errors: number;
  /** Streams that ended in the in-band error after content had reached the client. */
  readonly cut: number;
  /** Connections lost, and streams that ended without a terminal and without an error. */
  readonly lost: number;
}

type Seen = "whole" | "moved" | "error" | "cut" | "lost";

const MODEL = "gpt-5.6";
const BODY = JSON.stringify({
  model: MODEL,
  stream: true,
  messages: [{ role: "user", content: "Tell me a story. [[sim: long 30]]" }],
});

/** One streamed call, read to its end. */
async function callOnce(url: string): Promise<Seen> {
  let hasContent = false;
  let hasError = false;
  let isWhole = false;
  try {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": "arouter-demo" },
      body: BODY,
      proxy: false,
    } as RequestInit);
    if (response.status !== 200 || response.body === null) {
      await response.arrayBuffer();
      return "error";
    }
    const decoder = createSseDecoder({ maxEventBytes: 1_048_576 });
    for await (const chunk of response.body) {
      for (const { data } of decoder.push(chunk)) {
        if (data === null || data === "[DONE]") continue;
        const json = JSON.parse(data) as Json;
        const choices = own(json, "choices");
        const choice = Array.isArray(choices) ? (choices[0] as Json | undefined) : undefined;
        hasError ||= own(json, "error") !== undefined;
        hasContent ||= Boolean(own(own(choice, "delta"), "content"));
        isWhole ||= typeof own(choice, "finish_reason") === "string";
      }
    }
    if (hasError) return hasContent ? "cut" : "error";
    if (!isWhole) return "lost";
    return response.headers.get("x-arouter-model") === MODEL ? "whole" : "moved";
  } catch {
    return "lost";
  }
}

/** Clients that call one after the other until they are stopped; the returned function stops them and gives the counts. */
export function startClients(clock: Clock, url: string, clients: number): () => Promise<FailoverCounts> {
  const counts: Record<Seen, number> = { whole: 0, moved: 0, error: 0, cut: 0, lost: 0 };
  let isOver = false;
  const run = async (): Promise<void> => {
    // Not all at once: when the provider goes down, streams are at every stage.
    await new Promise<void>((resolve) => void clock.after(clock.random() * 500, resolve));
    while (!isOver) counts[await callOnce(url)] += 1;
  };
  const running = Promise.all(Array.from({ length: clients }, run));
  return async () => {
    isOver = true;
    await running;
    const { whole, moved, error, cut, lost } = counts;
    return { requests: whole + moved + error + cut + lost, whole: whole + moved, moved, errors: error, cut, lost };
  };
}
