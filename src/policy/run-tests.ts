/** Runs the tests that a policy carries: no server, no network. Used by `test`, `check` and before a reload takes effect. */
import { parseDurationMs } from "../base/duration.ts";
import type { Diagnostic } from "../base/diagnostic.ts";
import { GatewayError } from "../base/errors.ts";
import { isArray, isObject, own } from "../base/json.ts";
import type { Json, JsonObject } from "../base/json.ts";
import type { FormatName, ProviderName } from "../base/names.ts";
import type { ParseLimits } from "../wire/format.ts";
import { formatByName } from "../wire/formats.ts";
import { readClient } from "./client.ts";
import type { PolicyInput } from "./context.ts";
import { decide } from "./decide.ts";
import type { Decision } from "./decision.ts";
import { DEFAULT_FALLBACK_ON } from "./decision.ts";
import { readOverrides } from "./overrides.ts";
import type { Policy, PolicyTest } from "./policy.ts";
import { guessFormat } from "./request-format.ts";
import { summarizeDecision } from "./summary.ts";

/** What decisions need besides policy and request. */
export interface TestEnvironment {
  readonly providerOf: (model: string) => ProviderName | null;
  /** Milliseconds since the epoch, for tests that do not say when. */
  readonly wallMs: number;
}

export interface TestResult {
  readonly test: PolicyTest;
  readonly ok: boolean;
  /** One sentence per difference, or why there was no decision. */
  readonly failures: readonly string[];
  /** The rule that matched; null for none, or when there was no decision. */
  readonly rule: string | null;
}

const LIMITS: ParseLimits = { jsonDepth: 128, jsonNodes: 1_000_000 };

/** A request outside of any connection, as explain and tests have it. */
export interface OfflineRequest {
  readonly body: JsonObject;
  /** Told by the body's shape unless given. */
  readonly format: FormatName | null;
  readonly headers: Headers;
  readonly key: string | null;
  readonly providerState: PolicyInput["providerState"];
  readonly requestId: string;
  readonly wallMs: number;
  readonly providerOf: TestEnvironment["providerOf"];
}

/**
 * The input of a decision about a request that did not come over the wire.
 * @throws GatewayError `invalid-request` for a body or an override header that the gateway would refuse
 */
export function offlineInput(request: OfflineRequest): PolicyInput {
  const { headers } = request;
  const format = formatByName(request.format ?? guessFormat(request.body));
  const parsed = format.parseRequest(new TextEncoder().encode(JSON.stringify(request.body)), LIMITS);
  return {
    facts: format.facts(parsed),
    headers,
    client: readClient(headers.get("user-agent")),
    key: request.key,
    providerOf: request.providerOf,
    providerState: request.providerState,
    requestId: request.requestId,
    wallMs: request.wallMs,
    overrides: readOverrides(headers, "all"),
  };
}

/** Runs every test of `policy`, in order. */
export function runTests(policy: Policy, environment: TestEnvironment): readonly TestResult[] {
  return policy.tests.map((test) => runTest(policy, test, environment));
}

/** Failed tests as errors at the places of their names. */
export function testDiagnostics(results: readonly TestResult[]): readonly Diagnostic[] {
  return results.flatMap(({ test, failures }) =>
    failures.map((text): Diagnostic => ({ ...test.position, severity: "error", text: `test "${test.name}": ${text}` })),
  );
}

function runTest(policy: Policy, test: PolicyTest, environment: TestEnvironment): TestResult {
  try {
    const input = offlineInput({
      body: test.request ?? {},
      format: test.format,
      headers: new Headers(test.headers),
      key: test.key,
      providerState: test.providerState,
      // The name decides the draws, so that a test always draws the same.
      requestId: `test:${test.name}`,
      wallMs: test.atMs ?? environment.wallMs,
      providerOf: environment.providerOf,
    });
    const { decision } = decide(policy, input);
    const failures = differences(test.expect, decision);
    return { test, ok: failures.length === 0, failures, rule: decision.rule };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { test, ok: false, failures: [`the request would be refused: ${error.message}`], rule: null };
  }
}

/** A decision with every key that a test may expect. */
function wholeDecision(decision: Decision): JsonObject {
  return {
    rule: decision.rule,
    validate: [],
    fallback_chain: [],
    fallback_on: DEFAULT_FALLBACK_ON,
    heal: {},
    hedge: null,
    retry: {},
    timeout: {},
    params: {},
    tags: {},
    block: null,
    ...summarizeDecision(decision),
  };
}

function differences(expect: Readonly<Record<string, Json>>, decision: Decision): readonly string[] {
  const whole = wholeDecision(decision);
  return Object.entries(expect).flatMap(([key, expected]) => {
    const actual = own(whole, key) ?? null;
    return contains(actual, expected) ? [] : [`${key} is ${show(actual)}, expected ${show(expected)}`];
  });
}

function show(value: Json): string {
  if (value === null) return "none";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Whether `actual` has everything that `expected` says: objects may hold more, lists must be equal. */
function contains(actual: Json, expected: Json): boolean {
  if (isArray(expected)) {
    return (
      isArray(actual) &&
      actual.length === expected.length &&
      expected.every((item, index) => contains(actual[index] ?? null, item))
    );
  }
  if (isObject(expected)) {
    return Object.entries(expected).every(([key, value]) => contains(own(actual, key) ?? null, value));
  }
  if (actual === expected) return true;
  // 2000ms and 2s are the same time.
  if (typeof actual !== "string" || typeof expected !== "string") return false;
  const milliseconds = parseDurationMs(expected);
  return milliseconds !== null && parseDurationMs(actual) === milliseconds;
}
