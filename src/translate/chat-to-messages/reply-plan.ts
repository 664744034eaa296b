/** What the reply side of a Chat request has to know. */
import { isArray, own } from "../../base/json.ts";
import { field, type Draft, type ReplyPlan } from "../messages-upstream/draft.ts";

/** How the answer is turned back for a Chat client. */
export interface ChatReplyPlan extends ReplyPlan {
  /** The caller speaks `functions`: one call, in `function_call`. */
  readonly legacyFunctions: boolean;
  /** The last chunk tells the usage. */
  readonly includeUsage: boolean;
}

/** Whether the caller sent legacy functions. */
export function hasLegacyFunctions(draft: Draft): boolean {
  const functions = own(draft.source, "functions");
  return isArray(functions) && functions.length > 0;
}

/** The plan of a finished draft. */
export function planReply(draft: Draft): ChatReplyPlan {
  const includeUsage = field(draft, "stream") === true && own(field(draft, "stream_options"), "include_usage") === true;
  return { ...draft.reply, legacyFunctions: hasLegacyFunctions(draft), includeUsage };
}
