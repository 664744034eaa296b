/** The request's JSON as it was spelled. */
import { own, type JsonObject } from "../../base/json.ts";
import type { ParsedRequest } from "../../wire/format.ts";
import { hasNumberAtRisk } from "../numbers.ts";

/** The request's JSON with numbers as they were spelled, where a double would change one. */
export function readSource(request: ParsedRequest): JsonObject {
  const { json } = request;
  const isAtRisk =
    hasNumberAtRisk(own(json, "messages")) ||
    hasNumberAtRisk(own(json, "tools")) ||
    hasNumberAtRisk(own(json, "output_config")) ||
    hasNumberAtRisk(own(json, "output_format"));
  return isAtRisk ? request.lossless() : json;
}
