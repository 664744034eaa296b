/**
 * Every public name: what docs/stability.md promises to keep. `bun test/docs/public-names.ts` adds to the list beside this file
 * what is new in the code; what is gone from the code is taken off it by hand alone.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { ERROR_KINDS } from "../../src/base/errors.ts";
import { isArray, isObject, isString, own, type Json, type JsonObject } from "../../src/base/json.ts";
import {
  FALLBACK_REASONS,
  FORMAT_NAMES,
  OUTCOME_CLASSES,
  PROVIDER_NAMES,
  VALIDATOR_NAMES,
} from "../../src/base/names.ts";
import { EXIT } from "../../src/cli/exit.ts";
import { renderJsonSchema } from "../../src/config/render.ts";
import { RESPONSE_HEADERS } from "../../src/gateway/arouter-headers.ts";
import { LEDGER_FIELDS, LEDGER_VERSION, renderLedgerLine } from "../../src/observe/ledger-line.ts";
import { ACCESS_FIELDS } from "../../src/observe/log-access.ts";
import { METRICS, type MetricRow } from "../../src/observe/metric-table.ts";
import { ATTEMPT_ATTRIBUTES, REQUEST_ATTRIBUTES, RESOURCE_ATTRIBUTES } from "../../src/observe/span-attributes.ts";
import { OVERRIDE_NAMES } from "../../src/policy/overrides.ts";
import { policySchema } from "../../src/policy/schema.ts";
import { matchRoute } from "../../src/server/routes.ts";
import { attemptOf, recordOf, usageOf } from "../observe/support.ts";
import { root } from "./pages.ts";

const FILE = join(root, "test/docs/public-names.json");

/** Names by surface, sorted. A name bears its type or its words where it has some, so that a change of these is a loss. */
export type PublicNames = Readonly<Record<string, readonly string[]>>;

/** `path` is what the schema is of; yields `path: type` for each type, and `path = word` for each word of an enumeration. */
function* schemaNames(schema: Json | undefined, path: string): Generator<string> {
  if (!isObject(schema)) return;
  const type = own(schema, "type");
  for (const each of isArray(type) ? type : [type]) if (isString(each)) yield `${path}: ${each}`;
  const words = own(schema, "enum");
  for (const word of isArray(words) ? words : []) yield `${path} = ${JSON.stringify(word)}`;
  if (own(schema, "const") !== undefined) yield `${path} = ${JSON.stringify(own(schema, "const"))}`;
  if (isString(own(schema, "$ref"))) yield `${path}: ${String(own(schema, "$ref"))}`;
  const properties = own(schema, "properties");
  for (const [name, its] of Object.entries(isObject(properties) ? properties : {})) {
    yield* schemaNames(its, path === "" ? name : `${path}.${name}`);
  }
  yield* schemaNames(own(schema, "additionalProperties"), `${path}.*`);
  yield* schemaNames(own(schema, "items"), `${path}[]`);
  for (const keyword of ["anyOf", "oneOf", "allOf"]) {
    const parts = own(schema, keyword);
    for (const part of isArray(parts) ? parts : []) yield* schemaNames(part, path);
  }
  const definitions = own(schema, "$defs");
  for (const [name, its] of Object.entries(isObject(definitions) ? definitions : {})) {
    yield* schemaNames(its, `#/$defs/${name}`);
  }
}

/** Paths of a chart's values, but for its configuration, whose names are those of arouter.toml. */
function* valueNames(values: JsonObject, path = ""): Generator<string> {
  for (const [name, value] of Object.entries(values)) {
    const at = path === "" ? name : `${path}.${name}`;
    yield at;
    if (isObject(value) && at !== "config") yield* valueNames(value, at);
  }
}

/** Fields of a line of the ledger, those within `attempts` too. */
function* ledgerNames(): Generator<string> {
  for (const name of Object.keys(LEDGER_FIELDS)) yield `v${LEDGER_VERSION} ${name}`;
  const usage = usageOf(40, 12, { cacheWriteLong: 5 });
  const record = recordOf({ attempts: [attemptOf({ usage, serviceTier: "flex" })] });
  const line = JSON.parse(renderLedgerLine(record, { keepBody: false })) as JsonObject;
  yield* fieldNames(line["attempts"], `v${LEDGER_VERSION} attempts[]`);
}

function* fieldNames(value: Json | undefined, path: string): Generator<string> {
  for (const item of isArray(value) ? value : [value]) {
    if (!isObject(item)) continue;
    for (const [name, its] of Object.entries(item)) {
      yield `${path}.${name}`;
      yield* fieldNames(its, `${path}.${name}`);
    }
  }
}

const metricName = ({ name, type, labels }: MetricRow): string => `${type} ${name}{${labels.toSorted().join(", ")}}`;

/** Paths that the pages promise, with what they take and what is behind them. */
const PATHS = [
  "/v1/chat/completions",
  "/v1/messages",
  "/v1/messages/count_tokens",
  "/v1/responses",
  "/v1/models",
  "/v1/models/x",
  "/v1/embeddings",
  "/v1/moderations",
  "/livez",
  "/readyz",
  "/healthz",
  "/metrics",
  "/dashboard",
  "/arouter/requests/x",
];

function* routeNames(): Generator<string> {
  for (const path of PATHS) {
    const { route, methods, name } = matchRoute(path);
    for (const method of methods) yield `${method} ${name} ${route.kind}`;
  }
}

/** Commands and their options, as the program itself tells them. */
function* commandNames(): Generator<string> {
  const help = (...args: readonly string[]): string =>
    Bun.spawnSync([process.execPath, join(root, "src/main.ts"), ...args, "--help"]).stdout.toString();
  for (const [, command = ""] of help().matchAll(/^ {2}([a-z]+) {2,}\S/gm)) {
    yield command;
    for (const [option] of help(command).matchAll(/--[a-z][a-z-]+/g)) yield `${command} ${option}`;
  }
  for (const [name, status] of Object.entries(EXIT)) yield `exit ${name}: ${status}`;
}

/** What the code has today. */
export function readPublicNames(): PublicNames {
  const names: Record<string, Iterable<string>> = {
    configuration: schemaNames(renderJsonSchema(), ""),
    policy: schemaNames(policySchema(), ""),
    ledger: ledgerNames(),
    log: Object.keys(ACCESS_FIELDS),
    metrics: Object.values(METRICS).map(metricName),
    attributes: [...REQUEST_ATTRIBUTES, ...ATTEMPT_ATTRIBUTES, ...RESOURCE_ATTRIBUTES].map(({ name }) => name),
    "response headers": Object.keys(RESPONSE_HEADERS),
    "request headers": OVERRIDE_NAMES,
    errors: Object.entries(ERROR_KINDS).map(([kind, { status, type, code }]) => `${kind} ${status} ${type} ${code}`),
    words: [
      ...OUTCOME_CLASSES.map((word) => `outcome ${word}`),
      ...VALIDATOR_NAMES.map((word) => `validator ${word}`),
      ...FALLBACK_REASONS.map((word) => `fallback ${word}`),
      ...FORMAT_NAMES.map((word) => `format ${word}`),
      ...PROVIDER_NAMES.map((word) => `provider ${word}`),
    ],
    routes: routeNames(),
    commands: commandNames(),
    chart: valueNames(parse(readFileSync(join(root, "charts/arouter/values.yaml"), "utf8")) as JsonObject),
  };
  return Object.fromEntries(Object.entries(names).map(([surface, each]) => [surface, [...new Set(each)].toSorted()]));
}

/** What was promised. */
export function readPromisedNames(): PublicNames {
  return JSON.parse(readFileSync(FILE, "utf8")) as PublicNames;
}

/** What `promised` has and `today` has not, as `surface: name`. */
export function lostNames(promised: PublicNames, today: PublicNames): readonly string[] {
  return Object.entries(promised).flatMap(([surface, names]) => {
    const there = new Set(today[surface]);
    return names.filter((name) => !there.has(name)).map((name) => `${surface}: ${name}`);
  });
}

if (import.meta.main) {
  const today = readPublicNames();
  const promised: PublicNames = existsSync(FILE) ? readPromisedNames() : {};
  const joined = Object.keys({ ...promised, ...today }).map((surface) => {
    const names = new Set([...(promised[surface] ?? []), ...(today[surface] ?? [])]);
    return [surface, [...names].toSorted()] as const;
  });
  writeFileSync(FILE, `${JSON.stringify(Object.fromEntries(joined), null, 2)}\n`);
}
