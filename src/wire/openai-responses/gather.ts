import { isObject, own } from "../../base/json.ts";
import type { JsonObject } from "../../base/json.ts";
import type { ReplyGatherer } from "../format.ts";

/** Gathers a Responses stream: its last event that holds the whole Response. */
export function openGatherer(): ReplyGatherer {
  let response: JsonObject = {};
  return {
    read: (json) => {
      const next = own(json, "response");
      if (isObject(next)) response = next;
    },
    reply: () => response,
  };
}
