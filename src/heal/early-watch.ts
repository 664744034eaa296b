/** Early checks over all texts of one streamed answer. */
import type { JsonObject } from "../base/json.ts";
import type { ValidatorName } from "../base/names.ts";
import type { Facts, ReplyChoice, ReplyFacts } from "../wire/format.ts";
import { createEarlyCheck, type EarlyCheck } from "./early.ts";
import type { SchemaStore } from "./json-schema.ts";

export interface EarlyWatch {
  /**
   * Looks at the answer as far as it has come (a growing one, whole each time); the reason why no valid answer can come of
   * it any more, else null. Long texts are looked at in steps of a sixteenth, so that the sum of looks stays linear.
   */
  readonly read: (reply: ReplyFacts) => string | null;
}

/** Opens the watch that goes with the validators named; null when none of them can reject early. */
export function createEarlyWatch(
  names: readonly ValidatorName[],
  facts: Facts,
  schemas: SchemaStore,
): EarlyWatch | null {
  const textSchema = names.includes("json_schema") ? facts.jsonSchema : null;
  const watchesText = textSchema !== null || names.includes("json");
  const watchesCalls = names.includes("tool_arguments");
  if (!watchesText && !watchesCalls) return null;

  const open = (schema: JsonObject | null): EarlyCheck => {
    const opened = schema === null ? null : schemas.open(schema);
    return createEarlyCheck(opened?.ok === true ? opened.document : null);
  };
  const followers = new Map<string, Follower>();
  const follow = (key: string, text: string, schema: JsonObject | null): string | null => {
    let follower = followers.get(key);
    if (follower === undefined) {
      follower = createFollower(open(schema));
      followers.set(key, follower);
    }
    return follower(text);
  };

  const readChoice = (choice: ReplyChoice, index: number): string | null => {
    const isRefusal = choice.refusal !== null || choice.stop === "refusal";
    const problem = watchesText && !isRefusal ? follow(`${index}`, choice.text, textSchema) : null;
    if (problem !== null || !watchesCalls) return problem;
    for (const [place, call] of choice.toolCalls.entries()) {
      if (call.kind === "custom") continue;
      const schema = facts.toolSchemas.get(call.name) ?? null;
      const callProblem = follow(`${index}/${place}`, call.arguments, schema);
      if (callProblem !== null) return `call to ${call.name}: ${callProblem}`;
    }
    return null;
  };

  return {
    read: (reply) => {
      for (const [index, choice] of reply.choices.entries()) {
        const problem = readChoice(choice, index);
        if (problem !== null) return problem;
      }
      return null;
    },
  };
}

type Follower = (text: string) => string | null;

const LOOK_EVERY = 16;

function createFollower(check: EarlyCheck): Follower {
  let taken = 0;
  return (text) => {
    const fresh = text.length - taken;
    if (fresh <= 0 || fresh < Math.floor(taken / LOOK_EVERY)) return null;
    const rejection = check.push(text.slice(taken));
    taken = text.length;
    return rejection?.reason ?? null;
  };
}
