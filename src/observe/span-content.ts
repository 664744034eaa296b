/** Prompts and answers as span attributes. Read only where `telemetry.capture_content` asks for it. */
import type { RequestRecord } from "../base/events.ts";
import { isArray, isObject, isString, type Json, own } from "../base/json.ts";
import type { Attributes } from "./span-attributes.ts";

/** Bodies of requests beyond this are not read. */
export const MAX_BODY_BYTES = 1024 * 1024;
/** Collectors refuse messages that are too large; an attribute is cut here. */
const MAX_ATTRIBUTE_CHARS = 64 * 1024;

/** Attributes that only `capture_content` gives, with their meaning. */
export const CONTENT_ATTRIBUTES = {
  "gen_ai.system_instructions": "system prompt, as JSON",
  "gen_ai.input.messages": "the messages sent, as JSON: text, tool calls and their results",
  "gen_ai.output.messages": "the answer, as JSON: its text",
  "arouter.reason": "why a validation failed; on its event `arouter.validation`, of whichever answer",
} as const;

interface Part {
  readonly type: string;
  readonly [key: string]: Json;
}
interface Message {
  readonly role: string;
  readonly parts: readonly Part[];
}

/**
 * The content of `record` in the shape of the GenAI conventions; redacted, since a secret that is cut is no more found.
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/#recording-content-on-attributes (read 2026-11-24)
 */
export function contentAttributes(record: RequestRecord, redact: (text: string) => string): Attributes {
  const render = (value: readonly (Part | Message)[]): string => shorten(redact(JSON.stringify(value)));
  const attributes: Attributes = {};
  const body = parseBody(record.requestBytes);
  const instructions = textParts(own(body, "system") ?? own(body, "instructions"));
  if (instructions.length > 0) attributes["gen_ai.system_instructions"] = render(instructions);
  const input = own(body, "input");
  const history = own(body, "messages") ?? (isString(input) ? [{ role: "user", content: input }] : input);
  if (isArray(history)) attributes["gen_ai.input.messages"] = render(history.map(readMessage));
  if (record.answer !== null) attributes["gen_ai.output.messages"] = render(readAnswer(record.answer));
  return attributes;
}

function shorten(text: string): string {
  return text.length <= MAX_ATTRIBUTE_CHARS ? text : `${text.slice(0, MAX_ATTRIBUTE_CHARS)}…`;
}

function decodeBody(bytes: Uint8Array): string {
  return bytes.byteLength > MAX_BODY_BYTES ? "" : new TextDecoder().decode(bytes);
}

function parseBody(bytes: Uint8Array | null): Json {
  return bytes === null ? null : parseJson(decodeBody(bytes));
}

function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}

function textPart(content: string): Part {
  return { type: "text", content };
}

/** A text, or the texts in a list of parts. */
function textParts(value: Json | undefined): readonly Part[] {
  if (isString(value)) return [textPart(value)];
  return isArray(value) ? value.map(readPart) : [];
}

/** A part of any of the three formats; what is neither text nor a tool's is named by its type alone. */
function readPart(part: Json): Part {
  const type = own(part, "type");
  const text = own(part, "text");
  if (isString(text)) return textPart(text);
  if (type === "tool_use") return toolCall(own(part, "id"), own(part, "name"), own(part, "input"));
  if (type === "tool_result") return toolResponse(own(part, "tool_use_id"), own(part, "content"));
  return { type: isString(type) ? type : "unknown" };
}

function toolCall(id: Json | undefined, name: Json | undefined, input: Json | undefined): Part {
  return { type: "tool_call", id: id ?? null, name: name ?? null, arguments: input ?? null };
}

function toolResponse(id: Json | undefined, response: Json | undefined): Part {
  return { type: "tool_call_response", id: id ?? null, response: response ?? null };
}

function readMessage(message: Json): Message {
  const type = own(message, "type");
  if (type === "function_call" || type === "custom_tool_call") {
    const input = own(message, type === "function_call" ? "arguments" : "input");
    return { role: "assistant", parts: [toolCall(own(message, "call_id"), own(message, "name"), input)] };
  }
  if (type === "function_call_output" || type === "custom_tool_call_output") {
    return { role: "tool", parts: [toolResponse(own(message, "call_id"), own(message, "output"))] };
  }
  const role = own(message, "role");
  const content = own(message, "content");
  if (role === "tool") return { role, parts: [toolResponse(own(message, "tool_call_id"), content)] };
  const calls = own(message, "tool_calls");
  const callParts = (isArray(calls) ? calls : []).map((call) => {
    const named = own(call, "function");
    return toolCall(own(call, "id"), own(named, "name"), own(named, "arguments"));
  });
  return { role: isString(role) ? role : "unknown", parts: [...textParts(content), ...callParts] };
}

/** The answer's text, one message for each choice; a stream's is put together from its events. */
function readAnswer(answer: string): readonly Message[] {
  const json = parseJson(answer);
  const texts = new Map<number, string>();
  const add = (index: number, text: Json | undefined): void => {
    if (isString(text)) texts.set(index, (texts.get(index) ?? "") + text);
  };
  if (isObject(json)) readWhole(json, add);
  else for (const line of answer.split("\n")) if (line.startsWith("data:")) readDelta(parseJson(line.slice(5)), add);
  return [...texts.values()].map((text) => ({ role: "assistant", parts: [textPart(text)] }));
}

type Add = (index: number, text: Json | undefined) => void;

function each(value: Json | undefined, read: (item: Json, index: number) => void): void {
  if (isArray(value)) value.forEach(read);
}

function readWhole(json: Json, add: Add): void {
  each(own(json, "choices"), (choice, index) => add(index, own(own(choice, "message"), "content")));
  each(own(json, "content"), (block) => add(0, own(block, "text")));
  each(own(json, "output"), (item) => each(own(item, "content"), (part) => add(0, own(part, "text"))));
}

function readDelta(event: Json, add: Add): void {
  each(own(event, "choices"), (choice, at) => {
    const index = own(choice, "index");
    add(typeof index === "number" ? index : at, own(own(choice, "delta"), "content"));
  });
  const delta = own(event, "delta");
  if (own(event, "type") === "response.output_text.delta") add(0, delta);
  else if (own(event, "type") === "content_block_delta") add(0, own(delta, "text"));
}
