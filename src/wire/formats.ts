/** The wire formats there are, by name and by route. */
import type { FormatName } from "../base/names.ts";
import { anthropicMessages } from "./anthropic-messages/index.ts";
import type { WireFormat } from "./format.ts";
import { openAiChat } from "./openai-chat/index.ts";
import { openAiResponses } from "./openai-responses/index.ts";

const FORMATS: Readonly<Record<FormatName, WireFormat>> = {
  chat: openAiChat,
  messages: anthropicMessages,
  responses: openAiResponses,
};

/** Every wire format. */
export const formats: readonly WireFormat[] = Object.values(FORMATS);

/** Paths to which a format's requests are posted, as {@link normalizePath} gives them. */
export const FORMAT_PATHS: Readonly<Record<FormatName, string>> = {
  chat: "/v1/chat/completions",
  messages: "/v1/messages",
  responses: "/v1/responses",
};

export function formatByName(name: FormatName): WireFormat {
  return FORMATS[name];
}

/**
 * An API path in its usual form: exactly one leading `/v1`, no trailing slash. Clients send it without (a base URL that lacks
 * `/v1`), doubled (a base URL that has it already) or with a slash behind. `/` stays `/`. Takes a path without query.
 */
export function normalizePath(path: string): string {
  let end = path.length;
  while (end > 0 && path[end - 1] === "/") end -= 1;
  let start = 0;
  while (path.startsWith("/v1", start) && (path[start + 3] === "/" || start + 3 === end)) start += 3;
  const rest = path.slice(start, end);
  return rest === "" && start === 0 ? "/" : `/v1${rest}`;
}

/** The format whose requests are posted to `path` (without query, in any tolerated spelling); null for other routes. */
export function formatByPath(path: string): WireFormat | null {
  const normal = normalizePath(path);
  return formats.find((format) => FORMAT_PATHS[format.name] === normal) ?? null;
}
