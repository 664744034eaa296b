/** Request headers by which a caller overrides the policy: `x-arouter-*`. They are never sent on. */
import type { HeaderView } from "../base/headers.ts";
import { nearest } from "../base/diagnostic.ts";
import { parseDurationMs } from "../base/duration.ts";
import { GatewayError, invalidRequest } from "../base/errors.ts";
import { VALIDATOR_NAMES } from "../base/names.ts";
import type { ValidatorName } from "../base/names.ts";
import type { HedgeAfter, TimeoutOverrides } from "./decision.ts";
import { MAX_CANDIDATES, MODEL_NAME, TAG_NAME } from "./then.ts";

const PREFIX = "x-arouter-";

/** What the caller asked for. What is absent was not asked for. */
export interface Overrides {
  /** Names in force without the prefix, sorted: for the ledger. */
  readonly names: readonly string[];
  /** The values as sent of those that shape the decision, by name: with them a replay decides the same. */
  readonly values: Readonly<Record<string, string>>;
  readonly model?: string;
  /** A rule forced by name. */
  readonly rule?: string;
  readonly noRoute: boolean;
  readonly fallbackChain?: readonly string[];
  readonly validate?: readonly ValidatorName[];
  readonly hold?: "preflush" | "full" | "off";
  readonly retryMax?: number;
  /** null: `off`. */
  readonly hedge?: { readonly after: HedgeAfter; readonly model?: string } | null;
  /** A caller may only lower time limits: these are ceilings. */
  readonly timeout: TimeoutOverrides;
  /** For log and ledger, never metric labels. */
  readonly tags: Readonly<Record<string, string>>;
  readonly strict: boolean;
  readonly explain: boolean;
  readonly dryRun: boolean;
}

/** Which overrides callers may use: `router.overrides`, names without the prefix. */
export type AllowedOverrides = "all" | "none" | readonly string[];

export const NO_OVERRIDES: Overrides = {
  names: [],
  values: {},
  noRoute: false,
  timeout: {},
  tags: {},
  strict: false,
  explain: false,
  dryRun: false,
};

type Part = Partial<Omit<Overrides, "names" | "values">>;

/** Overrides that a recorded decision depends on; the others only limit time, label, or change what is shown. */
const DECIDING = ["model", "rule", "no-route", "fallback-chain", "validate", "heal", "retry", "hedge"];

/** One header: its line in the docs, what values it takes, and its reading; null: malformed. */
interface OverrideHeader {
  readonly values: string;
  readonly doc: string;
  readonly read: (value: string) => Part | null;
}

function items(value: string): readonly string[] {
  return value.split(",").map((item) => item.trim());
}

function oneOf<const Word extends string>(words: readonly Word[], value: string): Word | null {
  return words.find((word) => word === value) ?? null;
}

const RULE = /^[a-z0-9_-]{1,64}$/;

function model(value: string): string | null {
  return MODEL_NAME.test(value) ? value : null;
}

function flag(name: "noRoute" | "strict" | "explain" | "dryRun") {
  return (value: string): Part | null => (value === "1" ? { [name]: true } : value === "0" ? {} : null);
}

function time(name: keyof TimeoutOverrides) {
  return (value: string): Part | null => {
    const milliseconds = parseDurationMs(value);
    return milliseconds === null || milliseconds <= 0 ? null : { timeout: { [name]: milliseconds } };
  };
}

function readChain(value: string): Part | null {
  if (value === "") return { fallbackChain: [] };
  const names = items(value);
  return names.length <= MAX_CANDIDATES && names.every((name) => MODEL_NAME.test(name))
    ? { fallbackChain: names }
    : null;
}

function readValidators(value: string): Part | null {
  if (value === "none") return { validate: [] };
  const names = items(value).map((name) => oneOf(VALIDATOR_NAMES, name));
  const known = names.filter((name) => name !== null);
  return known.length === names.length ? { validate: [...new Set(known)] } : null;
}

function readHedge(value: string): Part | null {
  if (value === "off") return { hedge: null };
  const [delay = "", ...rest] = value.split(";").map((part) => part.trim());
  const after = delay === "p95" ? delay : parseDurationMs(delay);
  if (after === null || rest.length > 1) return null;
  const [option] = rest;
  if (option === undefined) return { hedge: { after } };
  const name = option.startsWith("model=") ? model(option.slice("model=".length)) : null;
  return name === null ? null : { hedge: { after, model: name } };
}

function readTags(value: string): Part | null {
  const pairs = items(value).map((item): [string, string] => {
    const equals = item.indexOf("=");
    return equals < 0 ? [item, ""] : [item.slice(0, equals).trim(), item.slice(equals + 1).trim()];
  });
  const fine = pairs.length <= 8 && pairs.every(([key, tag]) => TAG_NAME.test(key) && /^[\x20-\x7e]{1,64}$/.test(tag));
  return fine ? { tags: Object.fromEntries(pairs) } : null;
}

/** Every override by its name without the prefix. */
export const OVERRIDE_HEADERS: Readonly<Record<string, OverrideHeader>> = {
  model: {
    values: "a model name or alias",
    doc: "the model to use",
    read: (value) => (model(value) === null ? null : { model: value }),
  },
  rule: {
    values: "a rule's name",
    doc: "apply this rule, whatever its conditions",
    read: (value) => (RULE.test(value) ? { rule: value } : null),
  },
  "no-route": { values: "1", doc: "apply no rule and no defaults", read: flag("noRoute") },
  "fallback-chain": {
    values: `at most ${MAX_CANDIDATES} model names, joined by commas; empty for none`,
    doc: "the models to try after the first",
    read: readChain,
  },
  validate: {
    values: `none, or ${VALIDATOR_NAMES.join(", ")}, joined by commas`,
    doc: "what an answer must pass",
    read: readValidators,
  },
  heal: {
    values: "preflush, full or off",
    doc: "how much of a stream is held until it is judged",
    read: (value) => {
      const hold = oneOf(["preflush", "full", "off"], value);
      return hold === null ? null : { hold };
    },
  },
  retry: {
    values: "0 to 5",
    doc: "tries after the first, per candidate",
    read: (value) => (/^[0-5]$/.test(value) ? { retryMax: Number(value) } : null),
  },
  hedge: { values: "off, a delay such as 800ms, or 800ms;model=NAME", doc: "race a second request", read: readHedge },
  timeout: { values: "a duration such as 2s", doc: "lower the total time limit", read: time("totalMs") },
  "ttft-timeout": { values: "a duration such as 2s", doc: "lower the limit to first content", read: time("ttftMs") },
  "idle-timeout": { values: "a duration such as 2s", doc: "lower the limit between chunks", read: time("idleMs") },
  tags: {
    values: "at most 8 k=v pairs, joined by commas",
    doc: "labels for log and ledger, never for metrics",
    read: readTags,
  },
  strict: {
    values: "1",
    doc: "refuse a translation that would drop or adapt something",
    read: flag("strict"),
  },
  explain: { values: "1", doc: "add the decision to the answer as `x-arouter-trace`", read: flag("explain") },
  "dry-run": { values: "1", doc: "answer with the decision and call nobody", read: flag("dryRun") },
};

/** Names of all overrides without the prefix, as `router.overrides` lists them. */
export const OVERRIDE_NAMES: readonly string[] = Object.keys(OVERRIDE_HEADERS);

function refuse(header: string, message: string): GatewayError {
  return invalidRequest(`header ${header}: ${message}`, header, "invalid_header");
}

function unknownHeader(header: string): GatewayError {
  const near = nearest(header.slice(PREFIX.length), OVERRIDE_NAMES);
  const hint = near === null ? `known are ${OVERRIDE_NAMES.join(", ")}` : `did you mean "${PREFIX}${near}"?`;
  return refuse(header.slice(0, 80).replace(/[^\x21-\x7e]/g, "?"), `unknown; ${hint}`);
}

/** The SDK's own timer is to end the call first, so that its caller sees the SDK's timeout error and not the gateway's 504. */
const SDK_GRACE_MS = 1000;

/** Seconds by which official SDKs tell their own time limit. @see https://github.com/openai/openai-python (read 2026-11-24) */
function readSdkTimeoutMs(headers: HeaderView): number | null {
  const total = readSeconds(headers.get("x-stainless-timeout"));
  const read = readSeconds(headers.get("x-stainless-read-timeout"));
  const seconds = Math.min(total, read);
  return seconds === Infinity ? null : seconds * 1000 + SDK_GRACE_MS;
}

/** Infinity for what is no sensible time limit. */
function readSeconds(value: string | null): number {
  const seconds = value === null ? Infinity : Number.parseFloat(value);
  return seconds > 0 && seconds <= 86_400 ? seconds : Infinity;
}

/**
 * Reads the `x-arouter-*` headers of a request, and the SDKs' own time limit.
 * @throws GatewayError `invalid-request` (code `invalid_header`) for a malformed or unknown one, `forbidden` for one that
 * `router.overrides` does not allow; both name it in `param`
 */
export function readOverrides(headers: HeaderView, allowed: AllowedOverrides): Overrides {
  const sdkTimeoutMs = readSdkTimeoutMs(headers);
  const sent = sentOverrides(headers);
  return sent === null && sdkTimeoutMs === null ? NO_OVERRIDES : joinOverrides(sent ?? [], sdkTimeoutMs, allowed);
}

/** The headers that ask for something; null for none. */
function sentOverrides(headers: HeaderView): [string, string][] | null {
  let sent: [string, string][] | null = null;
  headers.forEach((value, header) => {
    if (header.startsWith(PREFIX)) (sent ??= []).push([header, value]);
  });
  return sent;
}

function joinOverrides(
  sent: readonly (readonly [string, string])[],
  sdkTimeoutMs: number | null,
  allowed: AllowedOverrides,
): Overrides {
  const names: string[] = [];
  const values: [string, string][] = [];
  let parts: Part = {};
  let timeout: TimeoutOverrides = {};
  for (const [header, value] of sent) {
    const name = header.slice(PREFIX.length);
    const override = Object.hasOwn(OVERRIDE_HEADERS, name) ? OVERRIDE_HEADERS[name] : undefined;
    if (override === undefined) throw unknownHeader(header);
    if (allowed !== "all" && (allowed === "none" || !allowed.includes(name))) {
      throw new GatewayError("forbidden", `header ${header} is not allowed here; leave it out`, { param: header });
    }
    const part = override.read(value.trim());
    if (part === null) throw refuse(header, `malformed value; expected ${override.values}`);
    names.push(name);
    if (DECIDING.includes(name)) values.push([name, value.trim()]);
    timeout = { ...timeout, ...part.timeout };
    parts = { ...parts, ...part };
  }
  if (parts.rule !== undefined && parts.noRoute === true) {
    throw refuse(`${PREFIX}rule`, `contradicts ${PREFIX}no-route; send one of them`);
  }
  if (sdkTimeoutMs !== null) timeout = { ...timeout, totalMs: Math.min(timeout.totalMs ?? Infinity, sdkTimeoutMs) };
  return { ...NO_OVERRIDES, ...parts, names: names.sort(), values: Object.fromEntries(values), timeout };
}
