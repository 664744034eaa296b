/** A plain client of the three endpoints: sends, reads to the end, and says what it got in one form. */
import { isObject, own, type Json } from "../../src/base/json.ts";
import { createSseDecoder } from "../../src/wire/sse/decode.ts";

export type ClientFormat = "chat" | "messages" | "responses";
export const CLIENT_FORMATS: readonly ClientFormat[] = ["chat", "messages", "responses"];

const PATHS: Readonly<Record<ClientFormat, string>> = {
  chat: "/v1/chat/completions",
  messages: "/v1/messages",
  responses: "/v1/responses",
};

export interface Ask {
  readonly format: ClientFormat;
  readonly model: string;
  readonly prompt: string;
  readonly stream: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Further top-level fields. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** How it ended, as the client saw it. */
export type Ending =
  /** A whole answer with its terminal. */
  | "complete"
  /** An HTTP error. */
  | "error"
  /** An error inside the stream. */
  | "in-band-error"
  /** The stream, or the connection, ended without a terminal and without an error. */
  | "cut"
  /** The client left. */
  | "left";

export interface Got {
  readonly ending: Ending;
  readonly status: number;
  readonly headers: Headers;
  /** Text of the answer so far. */
  readonly text: string;
  /** Type or message of an error; "" without one. */
  readonly error: string;
  readonly ms: number;
  /** Ms until the first content; null without any. */
  readonly firstMs: number | null;
  /** Why it was cut. */
  readonly detail: string;
}

/** The request body for `ask`. */
export function bodyOf({ format, model, prompt, stream, fields }: Ask): string {
  const messages = [{ role: "user", content: prompt }];
  const body = {
    chat: { model, messages, stream },
    messages: { model, max_tokens: 4096, messages, stream },
    responses: { model, input: prompt, stream },
  }[format];
  return JSON.stringify({ ...body, ...fields });
}

/** Sends `ask` to the gateway at `url` and reads the answer. Never throws for what the gateway does. */
export async function send(url: string, ask: Ask): Promise<Got> {
  const startedMs = performance.now();
  let status = 0;
  let headers = new Headers();
  const reading = openReading(ask.format);
  let firstMs: number | null = null;
  const got = (ending: Ending, error: string, detail = ""): Got => ({
    ending,
    status,
    headers,
    text: reading.text(),
    error,
    ms: performance.now() - startedMs,
    firstMs,
    detail,
  });
  try {
    const response = await fetch(url + PATHS[ask.format], {
      method: "POST",
      headers: { "content-type": "application/json", ...ask.headers },
      body: bodyOf(ask),
      ...(ask.signal === undefined ? {} : { signal: ask.signal }),
    });
    ({ status, headers } = response);
    if (!(headers.get("content-type") ?? "").startsWith("text/event-stream")) {
      const body = await response.text();
      if (status !== 200) return got("error", errorOf(body, headers));
      const json = JSON.parse(body) as Json;
      reading.whole(json);
      firstMs = performance.now() - startedMs;
      return got(
        reading.isComplete() ? "complete" : "cut",
        "",
        reading.isComplete() ? "" : "no terminal in a whole answer",
      );
    }
    const decoder = createSseDecoder({ maxEventBytes: 64 * 1_048_576 });
    for await (const chunk of response.body as ReadableStream<Uint8Array>) {
      for (const { data, event } of decoder.push(chunk)) {
        if (data !== null) reading.event(data, event);
      }
      if (firstMs === null && reading.text() !== "") firstMs = performance.now() - startedMs;
    }
    const error = reading.error();
    if (error !== null) return got(reading.isComplete() ? "cut" : "in-band-error", error, "terminal and error");
    return got(reading.isComplete() ? "complete" : "cut", "", reading.isComplete() ? "" : "no terminal");
  } catch (error) {
    if (ask.signal?.aborted === true) return got("left", "");
    return got("cut", "", String(error));
  }
}

/** An error of the gateway's own has its format's envelope; an upstream's is delivered as it came, whatever it is. */
function errorOf(body: string, headers: Headers): string {
  const isOwn = headers.get("x-arouter-error") !== null;
  try {
    const error = own(JSON.parse(body) as Json, "error");
    const words = [own(error, "type"), own(error, "code"), own(error, "message")];
    if (typeof own(error, "message") === "string") return words.filter((word) => typeof word === "string").join(" ");
  } catch (thrown) {
    if (isOwn) throw thrown;
  }
  if (isOwn) throw new Error(`no error object: ${body}`);
  return "(not an error object)";
}

interface Reading {
  readonly whole: (json: Json) => void;
  readonly event: (data: string, event: string) => void;
  readonly text: () => string;
  readonly error: () => string | null;
  readonly isComplete: () => boolean;
}

function openReading(format: ClientFormat): Reading {
  let text = "";
  let error: string | null = null;
  let complete = false;
  const add = (value: unknown): void => {
    if (typeof value === "string") text += value;
  };
  const readChat = (json: Json, field: "delta" | "message"): void => {
    for (const choice of list(own(json, "choices"))) {
      add(own(own(choice, field), "content"));
      if (typeof own(choice, "finish_reason") === "string") complete = true;
    }
  };
  const fail = (value: Json | undefined): void => {
    error ??= JSON.stringify(value ?? null);
  };
  return {
    text: () => text,
    error: () => error,
    isComplete: () => complete,
    whole: (json) => {
      if (format === "chat") readChat(json, "message");
      if (format === "messages") {
        for (const block of list(own(json, "content"))) add(own(block, "text"));
        complete = typeof own(json, "stop_reason") === "string";
      }
      if (format === "responses") {
        for (const item of list(own(json, "output"))) {
          for (const part of list(own(item, "content"))) add(own(part, "text"));
        }
        complete = ["completed", "incomplete"].includes(own(json, "status") as string);
      }
    },
    event: (data, event) => {
      if (data === "[DONE]") return;
      const json = JSON.parse(data) as Json;
      const type = own(json, "type");
      if (event === "error" || type === "error" || type === "response.failed" || isObject(own(json, "error"))) {
        return fail(json);
      }
      if (format === "chat") return readChat(json, "delta");
      if (format === "messages") {
        add(own(own(json, "delta"), "text"));
        complete ||= type === "message_stop";
      } else {
        if (type === "response.output_text.delta") add(own(json, "delta"));
        complete ||= type === "response.completed" || type === "response.incomplete";
      }
    },
  };
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}
