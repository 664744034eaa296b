/** The requests of `arouter demo --traffic`: what a company's applications might ask in a day, always in the same order. */
import type { JsonObject } from "../base/json.ts";

export interface DemoRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonObject;
}

const OPENAI = { "content-type": "application/json", authorization: "Bearer unused" };
const ANTHROPIC = { "content-type": "application/json", "x-api-key": "unused", "anthropic-version": "2023-06-01" };

const chat = (body: JsonObject): DemoRequest => ({ path: "/v1/chat/completions", headers: OPENAI, body });
const messages = (body: JsonObject): DemoRequest => ({ path: "/v1/messages", headers: ANTHROPIC, body });
const responses = (body: JsonObject): DemoRequest => ({ path: "/v1/responses", headers: OPENAI, body });
const user = (content: string): JsonObject => ({ role: "user", content });

const QUESTIONS = [
  "What is the capital of Australia?",
  "Translate to French: the train leaves at nine.",
  "Name three rivers that flow into the Black Sea.",
  "How do I undo the last commit but keep its changes?",
  "Is 91 a prime number? Answer in one sentence.",
  "Write a subject line for a mail about the summer party.",
  "What does HTTP status 409 mean?",
  "Convert 12 km/h to m/s.",
];

const NOTES = [
  "Ada Lovelace, 36, lives at 12 St James Square in London and ordered two lamps.",
  "Grace Hopper (85) from Arlington asks for a refund of invoice 4711.",
  "Customer Konrad Zuse, born 1910, Berlin, wants to change his delivery address.",
  "Order by Hedy Lamarr, 85 years, Casselberry, one radio, to be sent by express.",
];

const PERSON: JsonObject = {
  type: "object",
  properties: { name: { type: "string" }, age: { type: "integer" }, city: { type: "string" } },
  required: ["name", "age", "city"],
  additionalProperties: false,
};

const PARAGRAPH =
  "The meeting began with the figures of the last quarter. Sales in the north had grown, those in the south had not, and " +
  "nobody could say whether the new prices or the wet summer were to blame. The team agreed to look at both before the next " +
  "meeting, to keep the prices as they are until then, and to ask the stores which questions customers ask most often. ";

const SEARCH_TOOL: JsonObject = {
  name: "search_code",
  description: "Searches the repository for a string.",
  input_schema: { type: "object", properties: { query: { type: "string" } }, required: ["query"] },
};

/** Says how the simulator is to answer; a real provider would take it for text. */
const simulated = (words: string): string => ` [[sim: ${words}]]`;
/** An answer of so many tokens, which a whole answer takes its time for. */
const answerOf = (tokens: number): string => simulated(`usage output=${tokens}; slow ${120 + tokens * 3}`);

type Kind = (turn: number) => DemoRequest;

const pick = (list: readonly string[], turn: number): string => list[turn % list.length] ?? "";

const extractWithGpt = (content: string): DemoRequest =>
  chat({
    model: "gpt-5.5",
    messages: [{ role: "system", content: "Extract the person." }, user(content)],
    response_format: { type: "json_schema", json_schema: { name: "person", strict: true, schema: PERSON } },
  });

const KINDS = {
  /** A chat window's small question. */
  question: (turn) => chat({ model: "gpt-5.5", messages: [user(pick(QUESTIONS, turn) + answerOf(60))] }),
  streamedQuestion: (turn) =>
    chat({
      model: "gpt-5.6",
      stream: true,
      stream_options: { include_usage: true },
      messages: [user(pick(QUESTIONS, turn + 3) + answerOf(80))],
    }),
  claudeQuestion: (turn) =>
    messages({ model: "claude-opus-5-5", max_tokens: 512, messages: [user(pick(QUESTIONS, turn + 1) + answerOf(70))] }),
  /** The OpenAI SDK, told to ask Claude. */
  crossQuestion: (turn) =>
    chat({ model: "claude-sonnet-5-5", stream: true, messages: [user(pick(QUESTIONS, turn + 5) + answerOf(90))] }),
  extraction: (turn) => extractWithGpt(pick(NOTES, turn) + answerOf(40)),
  /** The small model gets it wrong, and a larger one is asked before the caller sees anything. */
  healedExtraction: (turn) =>
    extractWithGpt(pick(NOTES, turn) + simulated("wrong-json model=gpt-6-luna") + answerOf(40)),
  claudeExtraction: (turn) =>
    messages({
      model: "claude-opus-5-5",
      max_tokens: 512,
      messages: [user(pick(NOTES, turn + 2) + answerOf(45))],
      output_config: { format: { type: "json_schema", schema: PERSON } },
    }),
  /** A long text: the policy leaves it to the model that was chosen for it. */
  summary: (turn) =>
    responses({
      model: "gpt-5.5",
      input: `Summarize these minutes.\n${PARAGRAPH.repeat(12 + (turn % 5))}${answerOf(350)}`,
    }),
  agentStep: (turn) =>
    messages({
      model: "claude-sonnet-5-5",
      max_tokens: 4096,
      stream: true,
      system: PARAGRAPH.repeat(6),
      tools: [SEARCH_TOOL],
      messages: [user(`Find where retries are counted, attempt ${turn}.${answerOf(140)}`)],
    }),
  reasoning: (turn) =>
    chat({
      model: "gpt-5.5",
      reasoning_effort: "high",
      messages: [
        user(`Plan a route through ${5 + (turn % 4)} towns.${simulated("usage output=900 reasoning=700; slow 2400")}`),
      ],
    }),
  /** The provider is overloaded for a moment; the retry gets through. */
  retried: (turn) =>
    chat({
      model: "gpt-5.5",
      messages: [user(`${pick(QUESTIONS, turn)}${simulated(`status 503 times=1 id=${turn}`)}`)],
    }),
  /** A client's mistake: it costs nothing. */
  mistake: () => chat({ model: "gpt-5.5", messages: [] }),
} as const satisfies Readonly<Record<string, Kind>>;

/** One round; rounds follow each other for ever. */
const ROUND: readonly (keyof typeof KINDS)[] = [
  "question",
  "claudeQuestion",
  "extraction",
  "streamedQuestion",
  "summary",
  "question",
  "agentStep",
  "claudeExtraction",
  "crossQuestion",
  "question",
  "claudeQuestion",
  "healedExtraction",
  "streamedQuestion",
  "reasoning",
  "extraction",
  "question",
  "agentStep",
  "retried",
  "claudeQuestion",
  "extraction",
  "crossQuestion",
  "summary",
  "claudeExtraction",
  "question",
  "mistake",
];

/** The request with number `index`, from 0. */
export function demoRequest(index: number): DemoRequest {
  const kind = ROUND[index % ROUND.length] ?? "question";
  return KINDS[kind](index);
}
