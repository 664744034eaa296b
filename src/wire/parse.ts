import { invalidRequest } from "../base/errors.ts";
import { isObject, parseLossless } from "../base/json.ts";
import type { JsonObject } from "../base/json.ts";
import type { FormatName } from "../base/names.ts";
import type { ParsedRequest, ParseLimits } from "./format.ts";
import { scanRequest } from "./scan.ts";

/** How a format reads a request. */
export interface ParseRules {
  readonly format: FormatName;
  /** Top-level fields that facts are read from: a body in which one occurs twice is refused. */
  readonly factFields: ReadonlySet<string>;
  /** Throws for a field that the gateway reads and cannot. */
  readonly check: (json: JsonObject) => void;
}

/**
 * Parses and checks a request body.
 * @throws GatewayError `invalid-request`: `invalid_json`, `missing_required_parameter` or `invalid_value`
 */
export function parseBody(bytes: Uint8Array, limits: ParseLimits, rules: ParseRules): ParsedRequest {
  const text = scanRequest(bytes, limits, rules.factFields);
  const json = parseJson(text);
  rules.check(json);
  let lossless: JsonObject | null = null;
  return {
    format: rules.format,
    bytes,
    json,
    lossless: () => {
      lossless ??= parseLossless(
        Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(),
      ) as JsonObject;
      return lossless;
    },
  };
}

function parseJson(text: string): JsonObject {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw invalidRequest("request body is not valid JSON; check its syntax", undefined, "invalid_json");
  }
  if (isObject(json)) return json;
  throw invalidRequest("request body is not a JSON object", undefined, "invalid_json");
}
