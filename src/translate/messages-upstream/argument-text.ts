/** The text of a call's arguments while it arrives. */
import { isObject, type Json } from "../../base/json.ts";
import type { ReplyPlan } from "./draft.ts";
import { createInputDecoder } from "./input-decoder.ts";
import { unwrapArguments } from "./reply-parts.ts";

/** How a call's argument text becomes what the caller sees. */
export interface ArgumentText {
  readonly push: (fragment: string) => string;
  readonly end: () => string;
}

function plainArguments(initial: Json | undefined): ArgumentText {
  let isEmpty = true;
  return {
    push: (fragment) => {
      if (fragment !== "") isEmpty = false;
      return fragment;
    },
    end: () => (isEmpty ? JSON.stringify(initial ?? {}) : ""),
  };
}

/** Arguments that travelled in a property `value` can only be unwrapped once they are whole. */
function wrappedArguments(initial: Json | undefined): ArgumentText {
  let text = "";
  const isFilled = isObject(initial) && Object.keys(initial).length > 0;
  return {
    push: (fragment) => {
      text += fragment;
      return "";
    },
    end: () => unwrapArguments(text === "" && isFilled ? JSON.stringify(initial) : text),
  };
}

function customArguments(initial: Json | undefined): ArgumentText {
  const decoder = createInputDecoder();
  let isEmpty = true;
  const isFilled = isObject(initial) && Object.keys(initial).length > 0;
  return {
    push: (fragment) => {
      if (fragment !== "") isEmpty = false;
      return decoder.push(fragment);
    },
    end: () => (isEmpty && isFilled ? decoder.push(JSON.stringify(initial)) : "") + decoder.end(),
  };
}

/**
 * The text of a call's arguments.
 * @param initial the `input` that the block started with: all there is when no delta follows
 */
export function createArgumentText(plan: ReplyPlan, wireName: string, initial: Json | undefined): ArgumentText {
  if (plan.customTools.has(wireName)) return customArguments(initial);
  return plan.wrappedTools.has(wireName) ? wrappedArguments(initial) : plainArguments(initial);
}
