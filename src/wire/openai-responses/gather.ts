import { isArray, isObject, own } from "../../base/json.ts";
import type { JsonObject } from "../../base/json.ts";
import type { ReplyGatherer } from "../format.ts";

/**
 * Gathers a Responses stream: its last event that holds the whole Response. Other hosts of the API may end with one whose
 * `output` is empty; the items that ended on the way then stand for it.
 */
export function openGatherer(): ReplyGatherer {
  let response: JsonObject = {};
  const ended = new Map<number, JsonObject>();
  return {
    read: (json) => {
      const next = own(json, "response");
      if (isObject(next)) response = next;
      if (own(json, "type") !== "response.output_item.done") return;
      const item = own(json, "item");
      const index = own(json, "output_index");
      if (isObject(item) && typeof index === "number") ended.set(index, item);
    },
    reply: () => {
      const output = own(response, "output");
      if (ended.size === 0 || (isArray(output) && output.length > 0)) return response;
      const items = [...ended].toSorted(([a], [b]) => a - b).map(([, item]) => item);
      return { ...response, output: items };
    },
  };
}
