/** Requests and answers that are nearly right: whole documents of each format with a few things about them changed. */
import fc from "fast-check";

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const CHAT: Json = {
  model: "gpt-5.6",
  stream: false,
  max_completion_tokens: 64,
  temperature: 0.5,
  n: 1,
  stop: ["END"],
  reasoning_effort: "low",
  tool_choice: "auto",
  parallel_tool_calls: true,
  response_format: {
    type: "json_schema",
    json_schema: {
      name: "city",
      strict: true,
      schema: { type: "object", properties: { city: { type: "string", pattern: "^[A-Z]" } } },
    },
  },
  tools: [
    {
      type: "function",
      function: { name: "weather", parameters: { type: "object", properties: { city: { type: "string" } } } },
    },
  ],
  messages: [
    { role: "system", content: "Be brief." },
    {
      role: "user",
      content: [
        { type: "text", text: "hi" },
        { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } },
      ],
    },
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Oslo"}' } }],
    },
    { role: "tool", tool_call_id: "call_1", content: "18 C" },
    { role: "user", content: "and now?" },
  ],
  metadata: { team: "a" },
};

const MESSAGES: Json = {
  model: "claude-sonnet-5-5",
  max_tokens: 64,
  stream: false,
  temperature: 0.5,
  system: [{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } }],
  stop_sequences: ["END"],
  thinking: { type: "disabled" },
  tool_choice: { type: "auto" },
  tools: [{ name: "weather", input_schema: { type: "object", properties: { city: { type: "string" } } } }],
  messages: [
    {
      role: "user",
      content: [
        { type: "text", text: "hi" },
        { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" } },
      ],
    },
    {
      role: "assistant",
      content: [
        { type: "thinking", thinking: "hm", signature: "s" },
        { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Oslo" } },
      ],
    },
    {
      role: "user",
      content: [{ type: "tool_result", tool_use_id: "toolu_1", content: [{ type: "text", text: "18 C" }] }],
    },
  ],
  metadata: { user_id: "u" },
};

const RESPONSES: Json = {
  model: "gpt-5.6",
  stream: false,
  instructions: "Be brief.",
  max_output_tokens: 64,
  input: [
    { role: "user", content: [{ type: "input_text", text: "hi" }] },
    { type: "function_call", call_id: "call_1", name: "weather", arguments: "{}" },
    { type: "function_call_output", call_id: "call_1", output: "18 C" },
  ],
  tools: [{ type: "function", name: "weather", parameters: { type: "object", properties: {} }, strict: false }],
  text: { format: { type: "text" } },
  reasoning: { effort: "low" },
};

/** Whole requests by format. */
export const REQUESTS = { chat: CHAT, messages: MESSAGES, responses: RESPONSES } as const;

/** Answers of the providers, whole and as SSE events. */
export const ANSWERS: readonly Json[] = [
  {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1,
    model: "gpt-5.6",
    choices: [
      {
        index: 0,
        finish_reason: "tool_calls",
        message: {
          role: "assistant",
          content: "x",
          refusal: null,
          tool_calls: [{ id: "c", type: "function", function: { name: "weather", arguments: "{}" } }],
        },
      },
    ],
    usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, prompt_tokens_details: { cached_tokens: 0 } },
  },
  {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "claude-sonnet-5-5",
    content: [
      { type: "text", text: "x" },
      { type: "tool_use", id: "t", name: "weather", input: {} },
    ],
    stop_reason: "tool_use",
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 2, cache_read_input_tokens: 0 },
  },
  {
    id: "resp_1",
    object: "response",
    status: "completed",
    model: "gpt-5.6",
    output: [
      {
        type: "message",
        id: "m",
        role: "assistant",
        status: "completed",
        content: [{ type: "output_text", text: "x", annotations: [] }],
      },
    ],
    usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
  },
  { error: { message: "no", type: "server_error", code: null, param: null } },
  { type: "error", error: { type: "overloaded_error", message: "no" } },
];

export const EVENTS: readonly Json[] = [
  {
    id: "c",
    object: "chat.completion.chunk",
    created: 1,
    model: "m",
    choices: [{ index: 0, delta: { role: "assistant", content: "a" }, finish_reason: null }],
  },
  {
    id: "c",
    object: "chat.completion.chunk",
    created: 1,
    model: "m",
    choices: [
      {
        index: 0,
        delta: { tool_calls: [{ index: 0, id: "t", type: "function", function: { name: "weather", arguments: "{" } }] },
        finish_reason: null,
      },
    ],
  },
  {
    id: "c",
    object: "chat.completion.chunk",
    created: 1,
    model: "m",
    choices: [{ index: 0, delta: {}, finish_reason: "stop" }],
  },
  {
    type: "message_start",
    message: {
      id: "m",
      type: "message",
      role: "assistant",
      model: "m",
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 1, output_tokens: 1 },
    },
  },
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "a" } },
  { type: "content_block_start", index: 1, content_block: { type: "tool_use", id: "t", name: "weather", input: {} } },
  { type: "content_block_delta", index: 1, delta: { type: "input_json_delta", partial_json: "{" } },
  { type: "content_block_stop", index: 0 },
  { type: "message_delta", delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: 2 } },
  { type: "message_stop" },
  { type: "ping" },
  { type: "error", error: { type: "overloaded_error", message: "no" } },
  {
    type: "response.created",
    response: { id: "r", object: "response", status: "in_progress", model: "m", output: [] },
    sequence_number: 0,
  },
  {
    type: "response.output_item.added",
    output_index: 0,
    item: { id: "i", type: "message", role: "assistant", content: [] },
    sequence_number: 1,
  },
  {
    type: "response.output_text.delta",
    item_id: "i",
    output_index: 0,
    content_index: 0,
    delta: "a",
    sequence_number: 2,
  },
  {
    type: "response.completed",
    response: {
      id: "r",
      object: "response",
      status: "completed",
      model: "m",
      output: [],
      usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
    },
    sequence_number: 3,
  },
];

const ODD: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  9_007_199_254_740_993,
  "",
  "x",
  "\u0000",
  "\ud800",
  "\u202e",
  "__proto__",
  [],
  {},
  [[]],
  [null],
  [{}],
  ["x"],
  { type: "text" },
  { type: "image" },
  { type: 7 },
  { role: "user" },
  { $ref: "#" },
  { $ref: "https://example.com/x" },
  { pattern: "(a+)+$" },
];
const ODD_NAMES = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "length",
  "type",
  "role",
  "model",
  "stream",
  "n",
  "content",
  "",
  "0",
];

/** One thing to change, at a place that is chosen by walking down. */
export interface Change {
  readonly path: readonly number[];
  readonly how: "replace" | "remove" | "duplicate" | "add" | "wrap" | "nest";
  readonly value: Json;
  readonly name: string;
}

const changes: fc.Arbitrary<Change> = fc.record({
  path: fc.array(fc.nat(20), { minLength: 2, maxLength: 7 }),
  how: fc.constantFrom("replace", "remove", "duplicate", "add", "wrap", "nest"),
  value: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...ODD) },
    fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>,
  ),
  name: fc.constantFrom(...ODD_NAMES),
});

function applied(json: Json, [step = 0, ...rest]: readonly number[], change: Change): Json {
  const isEnd = rest.length === 0;
  if (Array.isArray(json)) {
    const list = json as readonly Json[];
    if (list.length === 0 || isEnd) return changedList(list, step, change);
    const at = step % list.length;
    return list.map((item, index) => (index === at ? applied(item, rest, change) : item));
  }
  if (typeof json === "object" && json !== null) {
    const entries = Object.entries(json);
    if (entries.length === 0 || isEnd) return changedObject(entries, step, change);
    const at = step % entries.length;
    return Object.fromEntries(
      entries.map(([key, value], index) => [key, index === at ? applied(value, rest, change) : value]),
    );
  }
  return change.value;
}

function nested(value: Json, depth: number): Json {
  let json = value;
  for (let level = 0; level < depth; level += 1) json = level % 2 === 0 ? [json] : { content: json };
  return json;
}

function changedValue(value: Json, change: Change): Json {
  if (change.how === "wrap") return [value, change.value];
  return change.how === "nest" ? nested(value, 150) : change.value;
}

function changedList(list: readonly Json[], step: number, change: Change): Json {
  const at = list.length === 0 ? 0 : step % list.length;
  switch (change.how) {
    case "remove":
      return list.filter((_, index) => index !== at);
    case "duplicate":
      return list.flatMap((item, index) => (index === at ? [item, item] : [item]));
    case "add":
      return [...list.slice(0, at), change.value, ...list.slice(at)];
    default:
      return list.map((item, index) => (index === at ? changedValue(item, change) : item));
  }
}

function changedObject(entries: readonly (readonly [string, Json])[], step: number, change: Change): Json {
  const at = entries.length === 0 ? 0 : step % entries.length;
  switch (change.how) {
    case "remove":
      return Object.fromEntries(entries.filter((_, index) => index !== at));
    case "duplicate":
    case "add":
      // `fromEntries` defines, so that `__proto__` is a name like any other.
      return Object.fromEntries([...entries, [change.name, change.value]]);
    default:
      return Object.fromEntries(
        entries.map(([key, value], index) => [key, index === at ? changedValue(value, change) : value]),
      );
  }
}

/** `json` with up to `most` changes. */
export function altered(json: Json, most: number): fc.Arbitrary<Json> {
  return fc
    .array(changes, { maxLength: most })
    .map((list) => list.reduce((current: Json, change) => applied(current, change.path, change), json));
}

/** Bytes of `json`, sometimes cut, spliced, or with a byte changed. */
export function spoilt(json: fc.Arbitrary<Json>): fc.Arbitrary<Uint8Array> {
  const damage = fc.oneof(
    { weight: 9, arbitrary: fc.constant(null) },
    {
      weight: 1,
      arbitrary: fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), byte: fc.nat(255), cut: fc.boolean() }),
    },
  );
  return fc.tuple(json, damage).map(([value, harm]) => {
    const bytes = Buffer.from(JSON.stringify(value));
    if (harm === null || bytes.length === 0) return bytes;
    const at = Math.min(bytes.length - 1, Math.floor(harm.at * bytes.length));
    if (harm.cut) return bytes.subarray(0, at);
    bytes[at] = harm.byte;
    return bytes;
  });
}

/** A body of SSE: events in any order, whole or altered, cut anywhere. */
export const streams: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.array(
      fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom(...EVENTS) },
        { weight: 3, arbitrary: fc.constantFrom(...EVENTS).chain((event) => altered(event, 2)) },
        { weight: 1, arbitrary: fc.constant("[DONE]") },
      ),
      { maxLength: 10 },
    ),
    fc.constantFrom("\n\n", "\r\n\r\n", "\n", "\n: ping\n\n"),
    fc.double({ min: 0, max: 1.5, noNaN: true }),
  )
  .map(([events, gap, share]) => {
    const frames = events.map((event) => {
      if (event === "[DONE]") return `data: [DONE]${gap}`;
      const type = typeof event === "object" && event !== null && "type" in event ? event["type"] : null;
      return `${typeof type === "string" ? `event: ${type.replaceAll(/[\r\n]/g, "")}\n` : ""}data: ${JSON.stringify(event)}${gap}`;
    });
    const bytes = Buffer.from(frames.join(""));
    return share >= 1 ? bytes : bytes.subarray(0, Math.floor(bytes.length * share));
  });
