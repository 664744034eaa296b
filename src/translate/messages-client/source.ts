/** The request's JSON as it was spelled. */
import { own, type JsonObject } from "../../base/json.ts";
import type { ParsedRequest } from "../../wire/format.ts";
import { hasNumberAtRisk } from "../numbers.ts";

/** The request's JSON with numbers as they were spelled, where a double would change one. */
export function readSource(request: ParsedRequest): JsonObject {
  const { json } = request;
  const copied = [own(json, "messages"), own(json, "tools"), own(json, "output_config"), own(json, "output_format")];
  return copied.some(hasNumberAtRisk) ? request.lossless() : json;
}
