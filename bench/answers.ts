/** Checks answers whole: bytes where they pass through, the text, its end and its usage where they were translated. */
import { answerText, streamedAnswer, USAGE, wholeAnswer } from "./upstream-answers.ts";
import type { Dialect, Workload } from "./workloads.ts";

/** Why an answer is wrong; null when it is right. */
export type AnswerCheck = (status: number, body: Buffer) => string | null;

interface Told {
  readonly text: string;
  readonly stop: unknown;
  readonly input: unknown;
  readonly output: unknown;
}

type Loose = { readonly [name: string]: Loose | undefined } & readonly Loose[];

function parse(text: string): Loose {
  return JSON.parse(text) as Loose;
}

/**
 * The check of answers of `workload`. `translated`: they come in the client's format, not the upstream's. `loose`: only what
 * they say counts, not their bytes, also in the same format.
 */
export function createCheck(workload: Workload, translated: boolean, loose = false): AnswerCheck {
  const { client, upstream, pace } = workload;
  if (!loose && (!translated || client === upstream)) {
    const expected = Buffer.from(pace === null ? wholeAnswer(workload) : streamedAnswer(workload).join(""));
    return (status, body) => {
      if (status !== 200) return `status ${status}: ${body.toString().slice(0, 200)}`;
      if (body.equals(expected)) return null;
      return `the ${body.length} bytes are not the upstream's ${expected.length}: ${body.toString().slice(0, 200)}`;
    };
  }
  const text = answerText(workload);
  const stop = client === "chat" ? "stop" : "end_turn";
  const read = READERS[client][pace === null ? "whole" : "stream"];
  return (status, body) => {
    if (status !== 200) return `status ${status}: ${body.toString().slice(0, 200)}`;
    const told = read(body.toString());
    if (told.text !== text) return `the text has ${told.text.length} characters, not the ${text.length} sent`;
    if (told.stop !== stop) return `it ended by ${String(told.stop)}, not ${stop}`;
    if (told.output !== USAGE.output) return `it tells ${String(told.output)} tokens of output, not ${USAGE.output}`;
    return told.input === USAGE.input ? null : `it tells ${String(told.input)} tokens of input, not ${USAGE.input}`;
  };
}

function readChat(body: string): Told {
  const { choices, usage } = parse(body);
  const choice = choices?.[0];
  return {
    text: String(choice?.["message"]?.["content"]),
    stop: choice?.["finish_reason"],
    input: usage?.["prompt_tokens"],
    output: usage?.["completion_tokens"],
  };
}

function readMessages(body: string): Told {
  const { content, stop_reason: stop, usage } = parse(body);
  return {
    text: String(content?.[0]?.["text"]),
    stop,
    input: usage?.["input_tokens"],
    output: usage?.["output_tokens"],
  };
}

function dataOf(body: string): readonly Loose[] {
  return body
    .split("\n")
    .filter((line) => line.startsWith("data: {"))
    .map((line) => parse(line.slice(6)));
}

function readChatStream(body: string): Told {
  let text = "";
  let stop: unknown = null;
  let usage: Loose | undefined;
  for (const event of dataOf(body)) {
    const choice = event["choices"]?.[0];
    text += String(choice?.["delta"]?.["content"] ?? "");
    stop = choice?.["finish_reason"] ?? stop;
    usage = event["usage"] ?? usage;
  }
  const isEnded = body.trimEnd().endsWith("data: [DONE]");
  return {
    text,
    stop: isEnded ? stop : "no [DONE]",
    input: usage?.["prompt_tokens"],
    output: usage?.["completion_tokens"],
  };
}

function readMessagesStream(body: string): Told {
  let text = "";
  let stop: unknown = null;
  let input: unknown = null;
  let output: unknown = null;
  let last: unknown = null;
  for (const event of dataOf(body)) {
    last = event["type"];
    text += String(event["delta"]?.["text"] ?? "");
    stop = event["delta"]?.["stop_reason"] ?? stop;
    const usage = event["usage"] ?? event["message"]?.["usage"];
    input = usage?.["input_tokens"] ?? input;
    output = usage?.["output_tokens"] ?? output;
  }
  return { text, stop: String(last) === "message_stop" ? stop : "no message_stop", input, output };
}

const READERS: Readonly<
  Record<Dialect, { readonly whole: (body: string) => Told; readonly stream: (body: string) => Told }>
> = {
  chat: { whole: readChat, stream: readChatStream },
  messages: { whole: readMessages, stream: readMessagesStream },
};
