/** Why a recorded request that its own provider accepts is refused by the translation: the fixed table of reasons. */
import type { GatewayError } from "../../src/base/errors.ts";

interface Reason {
  readonly pair: string;
  /** Of the error's `param`. */
  readonly param: RegExp;
  /** Of the error's message, where the field can be refused for more than one reason. */
  readonly says?: RegExp;
  /** Printed with the count. */
  readonly reason: string;
}

const toMessages = "chat-to-messages";
const toChat = "messages-to-chat";
const fromResponses = "responses-to-messages";
const bridge = "chat-to-responses";
const toResponses = "messages-to-responses";

const REASONS: readonly Reason[] = [
  { pair: bridge, param: /^n$/, reason: "several choices (n > 1)" },
  { pair: bridge, param: /^logprobs$/, reason: "log probabilities, which reasoning models do not report" },
  { pair: bridge, param: /^(audio|modalities)$/, reason: "spoken answers do not exist there" },
  { pair: bridge, param: /input_audio$/, reason: "audio input does not exist there" },
  { pair: toResponses, param: /source$/, says: /uploaded file/, reason: "a file in the other vendor's storage" },
  {
    pair: toResponses,
    param: /^(mcp_servers|container|compaction)/,
    reason: "server-side work that cannot happen there",
  },
  {
    pair: toResponses,
    param: /^messages\[\d+\]\.content/,
    says: /container/,
    reason: "a file in a container of the other vendor",
  },
  { pair: toMessages, param: /^n$/, reason: "several choices (n > 1)" },
  { pair: toMessages, param: /^(logprobs|top_logprobs)$/, reason: "log probabilities do not exist there" },
  { pair: toMessages, param: /^(audio|modalities)$/, reason: "spoken answers do not exist there" },
  { pair: toMessages, param: /input_audio$/, reason: "audio input does not exist there" },
  { pair: toMessages, param: /^moderation$/, reason: "moderation that blocks does not exist there" },
  { pair: toMessages, param: /file_id$/, reason: "a file in the other vendor's storage" },
  { pair: toChat, param: /source$/, says: /uploaded file/, reason: "a file in the other vendor's storage" },
  {
    pair: toChat,
    param: /source$/,
    says: /PDF by URL/,
    reason: "a PDF by URL, which Chat does not take and nobody fetches",
  },
  { pair: toChat, param: /^(mcp_servers|container|compaction)/, reason: "server-side work that cannot happen there" },
  {
    pair: toChat,
    param: /^messages\[\d+\]\.content/,
    says: /container/,
    reason: "a file in a container of the other vendor",
  },
  { pair: toChat, param: /^tools\[\d+\]\.type$/, says: /search the web/, reason: "web search on a model that cannot" },
  {
    pair: fromResponses,
    param: /^(previous_response_id|conversation)$/,
    reason: "a conversation in the other vendor's storage",
  },
  { pair: fromResponses, param: /^background$/, reason: "answers to be asked for later do not exist there" },
  { pair: fromResponses, param: /^prompt$/, reason: "a prompt in the other vendor's storage" },
  { pair: fromResponses, param: /^moderation$/, reason: "moderation that blocks does not exist there" },
  { pair: fromResponses, param: /^(include|top_logprobs)$/, reason: "log probabilities do not exist there" },
  { pair: fromResponses, param: /file_id$/, reason: "a file in the other vendor's storage" },
  {
    pair: fromResponses,
    param: /^tool_choice$/,
    says: /runs at OpenAI/,
    reason: "a call demanded of a tool that runs at the other vendor",
  },
  {
    pair: fromResponses,
    param: /^input\[\d+\]\.content$/,
    says: /no content/,
    reason: "a user message without content",
  },
  {
    pair: fromResponses,
    param: /^input\[\d+\]$/,
    says: /stored at OpenAI/,
    reason: "an item in the other vendor's storage",
  },
  {
    pair: fromResponses,
    param: /^input\[\d+\]$/,
    says: /compacted/,
    reason: "a summary that only the other vendor can read",
  },
];

/** The reason behind a refusal. @throws Error when the table has none: the refusal is unexplained */
export function explain(pair: string, error: GatewayError): string {
  const param = error.param ?? "";
  const found = REASONS.find(
    (row) => row.pair === pair && row.param.test(param) && (row.says?.test(error.message) ?? true),
  );
  if (found === undefined) throw new Error(`unexplained refusal of ${param}: ${error.message}`);
  return found.reason;
}
