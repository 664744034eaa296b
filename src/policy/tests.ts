/** Reads one entry of a policy file's `tests`. */
import { FORMAT_NAMES, PROVIDER_NAMES } from "../base/names.ts";
import { isObject, isString } from "../base/json.ts";
import type { Json } from "../base/json.ts";
import { BREAKER_STATES } from "./context.ts";
import type { PolicyTest } from "./policy.ts";
import { dictionary, either, json, mapped, record } from "./containers.ts";
import { scalar, text, word } from "./readers.ts";
import type { Reader } from "./readers.ts";
import type { Source, Written } from "./source.ts";
import { THEN_FIELDS } from "./then-fields.ts";
import { isMap, isScalar } from "./yaml-nodes.ts";

const instant: Reader<number> = scalar(
  "a moment such as 2026-11-24T12:00:00Z",
  { type: "string", format: "date-time" },
  (value) => {
    if (typeof value !== "string" || !/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value))
      return undefined;
    const milliseconds = Date.parse(value);
    return Number.isNaN(milliseconds) ? undefined : milliseconds;
  },
);

const headerValue = text("a header value", 8192, /^[^\u0000\r\n]+$/);
const headers = dictionary(
  { expects: "a header name", pattern: /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/, turn: (key) => key.toLowerCase() },
  headerValue,
);
/** `headers: {}` says nothing, but may be written. */
const optionalHeaders: Reader<ReadonlyMap<string, string>> = {
  ...headers,
  schema: { ...headers.schema, minProperties: 0 },
  read: (source, node, label) => {
    const resolved = source.resolve(node);
    if (isMap(resolved) && resolved.items.length === 0) return new Map();
    return headers.read(source, node, label);
  },
};

const requestObject: Reader<Json> = {
  ...json,
  expects: "a request body",
  schema: { type: "object" },
  read: (source, node, label) => {
    const value = json.read(source, node, label);
    if (value === undefined || isObject(value)) return value;
    source.report(node, `${label}: expected a request body`);
    return undefined;
  },
};

/** `rule: null` and `rule: none` both mean that no rule matched. */
const expectedRule: Reader<Json> = either(
  (node) => node === null || (isScalar(node) && node.value === null),
  { ...json, expects: "null", schema: { type: "null" } },
  text("a rule's name, or none", 64),
);

const expectFields = {
  rule: { reader: expectedRule, doc: "the rule that matches; none when no rule may match" },
  ...Object.fromEntries(Object.entries(THEN_FIELDS).map(([key, { doc }]) => [key, { reader: json, doc }] as const)),
};

const testFields = record(
  {
    name: { reader: text("a name of at most 200 characters", 200), doc: "what the test shows" },
    request: { reader: requestObject, doc: "the body as a client would send it, or `{ file: path.json }`" },
    file: { reader: text("a path", 1024), doc: "a JSON file with the body, from the policy file's folder" },
    format: { reader: word(FORMAT_NAMES), doc: "the wire format, when the body's shape does not tell it" },
    headers: { reader: optionalHeaders, doc: "request headers, overrides too" },
    key: { reader: text("a name", 256), doc: "name of the caller's key" },
    provider_state: {
      reader: mapped(
        dictionary(
          { expects: PROVIDER_NAMES.join(" or "), pattern: new RegExp(`^(${PROVIDER_NAMES.join("|")})$`) },
          word(BREAKER_STATES),
        ),
        (states) => Object.fromEntries(states),
      ),
      doc: "circuit breakers; closed unless said",
    },
    at: { reader: instant, doc: "the time of the request; now unless said" },
    expect: { reader: record(expectFields), doc: "any subset of the decision" },
  },
  { required: ["name", "expect"] },
);

/** JSON Schema of a test. */
export const TEST_SCHEMA = testFields.schema;

/** Reads a test; undefined after reporting what is wrong. */
export function readTest(source: Source, node: Written, index: number): PolicyTest | undefined {
  const label = `test ${index + 1}`;
  const read = testFields.read(source, node, label);
  if (read === undefined) return undefined;
  const { name = "", request, file, expect = {} } = read;
  const nestedFile =
    isObject(request) && Object.keys(request).length === 1 && isString(request["file"]) ? request["file"] : null;
  const requestFile = file ?? nestedFile;
  const body = isObject(request) && nestedFile === null ? request : null;
  if ((body === null) === (requestFile === null)) {
    source.report(node, `${label}: give a request, or the file that holds it`);
    return undefined;
  }
  const resolved = source.resolve(node);
  const nameNode = isMap(resolved) ? source.entries(resolved, "").find((entry) => entry.key === "name")?.value : node;
  const rule = expect.rule === "none" ? null : expect.rule;
  return {
    name,
    position: source.position(nameNode),
    request: body,
    requestFile,
    format: read.format ?? null,
    headers: Object.fromEntries(read.headers ?? []),
    key: read.key ?? null,
    providerState: read.provider_state ?? {},
    atMs: read.at ?? null,
    expect: Object.fromEntries(
      Object.entries({ ...expect, ...(rule === undefined ? {} : { rule }) }).filter(
        (entry): entry is [string, Json] => entry[1] !== undefined,
      ),
    ),
  };
}
