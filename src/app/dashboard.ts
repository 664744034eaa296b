/** What the dashboard shows: rolling figures joined with the policy in force and the state of the providers. */
import type { Json, JsonObject } from "../base/json.ts";
import { isArray, isObject, isString, own } from "../base/json.ts";
import { FORMAT_NAMES, PROVIDER_NAMES, type ProviderName } from "../base/names.ts";
import { PAGE_FILES } from "../dashboard/page.ts";
import { isDimension, type Live } from "../observe/live.ts";
import { DIMENSIONS, type Figures, WINDOWS, type WindowName } from "../observe/live-series.ts";
import type { Vitals } from "../observe/metrics.ts";
import { decide, type RuleTrace } from "../policy/decide.ts";
import { hasLedgerFacts, inputFromLedger } from "../policy/ledger-facts.ts";
import type { Policy, Rule } from "../policy/policy.ts";
import { summarizeSettings } from "../policy/summary.ts";
import type { Dashboard } from "../server/dashboard.ts";
import type { ProviderStatus } from "../server/health.ts";

export interface DashboardOptions {
  readonly live: Live;
  readonly version: string;
  readonly startedWallMs: number;
  readonly wallMs: () => number;
  readonly isOn: () => boolean;
  readonly policy: () => Policy;
  readonly vitals: () => Vitals;
  /** Asks the providers, unless that was done a moment ago. */
  readonly refreshHealth: () => void;
  readonly health: () => Readonly<Record<string, ProviderStatus>>;
  readonly providerOf: (model: string) => ProviderName | null;
}

const MAX_RECENT = 50;
const DEFAULT_WINDOW: WindowName = "10m";

export function createDashboard(options: DashboardOptions): Dashboard {
  const { live } = options;
  return {
    isOn: options.isOn,
    files: PAGE_FILES,
    state: (query) => {
      options.refreshHealth();
      const asked = query.get("window") ?? "";
      const by = query.get("by");
      return {
        now: options.wallMs(),
        started: options.startedWallMs,
        version: options.version,
        totals: figuresJson(live.totals()),
        by: Object.fromEntries(
          DIMENSIONS.map((dimension) => [
            dimension,
            live.totalsBy(dimension).map(({ name, ...figures }) => ({ name, ...figuresJson(figures) })),
          ]),
        ),
        window: live.window(isWindow(asked) ? asked : DEFAULT_WINDOW, isDimension(by) ? by : null) as unknown as Json,
        policy: policyJson(options.policy()),
        providers: providersJson(options),
        queue_depth: options.vitals().queueDepth,
        recent: live.recent(MAX_RECENT),
      };
    },
    request: (id) => {
      const found = live.find(id);
      return found === null ? null : { ...found, rules: rulesTried(found, options) };
    },
  };
}

function isWindow(name: string): name is WindowName {
  return Object.hasOwn(WINDOWS, name);
}

function figuresJson(figures: Readonly<Figures>): JsonObject {
  return {
    requests: figures.requests,
    errors: figures.errors,
    tokens_input: figures.tokensInput,
    tokens_output: figures.tokensOutput,
    cost_usd: figures.costUsd,
    saved_usd: figures.savedUsd,
  };
}

function policyJson(policy: Policy): JsonObject {
  return { hash: policy.hash12, files: policy.files, rules: policy.rules.map(ruleJson) };
}

function ruleJson({ name, when, then }: Rule): JsonObject {
  const conditions = when.conditions.map((condition) => `${condition.name}: ${compactText(condition.value)}`);
  const chain = (then.fallbackChain ?? []).map(({ model }) => model);
  return {
    name,
    when: conditions,
    model: modelText(then),
    fallback_chain: chain,
    validate: [...(then.validate ?? [])],
    settings: summarizeSettings(then),
  };
}

function compactText(value: Json): string {
  return isString(value) ? value : JSON.stringify(value);
}

function modelText({ model, block }: Rule["then"]): string | null {
  if (block !== undefined && block !== null) return "blocked";
  switch (model?.kind) {
    case undefined:
      return null;
    case "one":
      return model.model;
    case "by-provider":
      return Object.values(model.models).join(" or ");
    case "weighted":
      return model.choices.map((choice) => `${choice.model} × ${choice.weight}`).join(", ");
  }
}

function providersJson({ vitals, health }: DashboardOptions): Json {
  const { configured, breakers, inFlight } = vitals();
  const known = health();
  return PROVIDER_NAMES.map((name) => {
    const own = breakers.filter(({ provider }) => provider === name);
    return {
      name,
      configured: configured.includes(name),
      status: known[name] ?? null,
      in_flight: inFlight(name),
      breaker: own.find(({ model }) => model === "")?.state ?? "closed",
      models: own
        .filter(({ model, state }) => model !== "" && state !== "closed")
        .map(({ model, state }) => ({ model, state })),
    };
  });
}

/** Each rule of the policy in force and what became of it; null when the request was decided by another policy, or not at all. */
function rulesTried(line: JsonObject, { policy, providerOf }: DashboardOptions): Json {
  const current = policy();
  const facts = own(line, "facts");
  const format = FORMAT_NAMES.find((name) => name === own(line, "format"));
  const time = own(line, "time");
  const id = own(line, "id");
  if (own(line, "policy") !== current.hash12 || format === undefined) return null;
  if (!isObject(facts) || !hasLedgerFacts(facts) || !isString(time) || !isString(id)) return null;
  const recorded = { id, format, stream: own(line, "stream") === true, wallMs: Date.parse(time), facts };
  try {
    const { trace } = decide(current, inputFromLedger(recorded, providerOf), { trace: true });
    return isArray(trace) ? trace.map(traceJson) : null;
  } catch {
    return null;
  }
}

function traceJson({ rule, result, why }: RuleTrace): JsonObject {
  return { rule, result, why };
}
