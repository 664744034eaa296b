/** The pairs that exist. A pair is needed only where a client's format meets an upstream that does not speak it. */
import type { FormatName } from "../base/names.ts";
import { chatToMessages } from "./chat-to-messages/index.ts";
import { chatToResponses } from "./chat-to-responses/index.ts";
import { messagesToChat } from "./messages-to-chat/index.ts";
import { messagesToResponses } from "./messages-to-responses/index.ts";
import { responsesToMessages } from "./responses-to-messages/index.ts";
import type { Translator } from "./translator.ts";

/** All translators, for docs. */
export const TRANSLATORS: readonly Translator[] = [
  chatToMessages,
  chatToResponses,
  messagesToChat,
  messagesToResponses,
  responsesToMessages,
];

/** The translator from `client` to `upstream`; null when both are the same format, or the pair does not exist. */
export function findTranslator(client: FormatName, upstream: FormatName): Translator | null {
  for (const pair of TRANSLATORS) if (pair.client === client && pair.upstream === upstream) return pair;
  return null;
}
