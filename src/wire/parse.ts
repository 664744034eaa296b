import { invalidRequest } from "../base/errors.ts";
import { isObject, parseLossless } from "../base/json.ts";
import type { JsonObject } from "../base/json.ts";
import type { FormatName } from "../base/names.ts";
import type { ParsedRequest, ParseLimits } from "./format.ts";
import type { LongTexts } from "./long-text.ts";
import { boundRequest, refuseRepeated } from "./scan.ts";
import { parseSparse } from "./sparse-json.ts";

/** How a format reads a request. */
export interface ParseRules {
  readonly format: FormatName;
  /** Top-level fields that facts are read from: a body in which one occurs twice is refused. */
  readonly factFields: ReadonlySet<string>;
  /** Throws for a field that the gateway reads and cannot. */
  readonly check: (json: JsonObject) => void;
}

class Parsed implements ParsedRequest {
  readonly format: FormatName;
  readonly bytes: Uint8Array;
  readonly json: JsonObject;
  readonly longTexts: LongTexts | null;
  #lossless: JsonObject | null = null;

  constructor(format: FormatName, bytes: Uint8Array, json: JsonObject, longTexts: LongTexts | null) {
    this.format = format;
    this.bytes = bytes;
    this.json = json;
    this.longTexts = longTexts;
  }

  lossless(): JsonObject {
    this.#lossless ??= parseLossless(decoder.decode(this.bytes)) as JsonObject;
    return this.#lossless;
  }
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Parses and checks a request body.
 * @throws GatewayError `invalid-request`: `invalid_json`, `missing_required_parameter` or `invalid_value`
 */
export function parseBody(bytes: Uint8Array, limits: ParseLimits, rules: ParseRules): ParsedRequest {
  const { fields, longStrings } = boundRequest(bytes, limits);
  const sparse = longStrings.length === 0 ? null : parseSparse(bytes, longStrings);
  const json = sparse === null ? parseJson(decoder.decode(bytes)) : sparse.json;
  if (Object.keys(json).length !== fields) refuseRepeated(bytes, rules.factFields);
  rules.check(json);
  return new Parsed(rules.format, bytes, json, sparse === null ? null : sparse.settle());
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
