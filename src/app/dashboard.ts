/** What the dashboard shows: rolling figures joined with the policy in force and the state of the providers. */
import type { Json, JsonObject } from "../base/json.ts";
import { isArray, isObject, isString, own } from "../base/json.ts";
import { FORMAT_NAMES, PROVIDER_NAMES, type ProviderName } from "../base/names.ts";
import { PAGE_FILES } from "../dashboard/page.ts";
import { isDimension, type Live } from "../observe/live.ts";
import { type LiveQuery, mergeLive } from "../observe/live-part.ts";
import { DIMENSIONS, type Figures, WINDOWS, type WindowName } from "../observe/live-series.ts";
import { decide, type RuleTrace } from "../policy/decide.ts";
import { hasLedgerFacts, inputFromLedger } from "../policy/ledger-facts.ts";
import type { Policy, Rule } from "../policy/policy.ts";
import { summarizeSettings } from "../policy/summary.ts";
import type { Dashboard } from "../server/dashboard.ts";
import type { WorkerVitals } from "../supervisor/messages.ts";
import type { Peers } from "../supervisor/peers.ts";
import { lastStatus, worstBreaker } from "./vitals.ts";

export interface DashboardOptions {
  readonly live: Live;
  readonly version: string;
  readonly wallMs: () => number;
  readonly isOn: () => boolean;
  readonly policy: () => Policy;
  /** Providers that have a key. */
  readonly configured: () => readonly ProviderName[];
  /** Whoever is asked shows the figures of all. */
  readonly peers: Peers;
  /** Asks the providers, unless that was done a moment ago. */
  readonly refreshHealth: () => void;
  readonly providerOf: (model: string) => ProviderName | null;
}

const MAX_RECENT = 50;
const DEFAULT_WINDOW: WindowName = "10m";

export function createDashboard(options: DashboardOptions): Dashboard {
  const { live, peers } = options;
  peers.answer("live", live.part);
  peers.answer("request", live.find);
  return {
    isOn: options.isOn,
    files: PAGE_FILES,
    state: async (query) => {
      options.refreshHealth();
      const asked = query.get("window") ?? "";
      const by = query.get("by");
      const ask: LiveQuery = {
        window: isWindow(asked) ? asked : DEFAULT_WINDOW,
        by: isDimension(by) ? by : null,
        nowMs: options.wallMs(),
        recent: MAX_RECENT,
      };
      const [parts, vitals] = await Promise.all([peers.gather("live", ask), peers.gather("vitals", null)]);
      const view = mergeLive(parts, ask);
      return {
        now: ask.nowMs,
        started: Math.min(...vitals.map(({ startedWallMs }) => startedWallMs)),
        version: options.version,
        totals: figuresJson(view.totals),
        by: Object.fromEntries(
          DIMENSIONS.map((dimension) => [
            dimension,
            view.by[dimension].map(({ name, ...figures }) => ({ name, ...figuresJson(figures) })),
          ]),
        ),
        window: view.window as unknown as Json,
        policy: policyJson(options.policy()),
        providers: providersJson(options, vitals),
        queue_depth: vitals.reduce((sum, { queueDepth }) => sum + queueDepth, 0),
        recent: view.recent,
      };
    },
    request: async (id) => {
      const found = live.find(id) ?? (await peers.gather("request", id)).find((answer) => answer !== null);
      return found === undefined ? null : { ...found, rules: rulesTried(found, options) };
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

function providersJson({ configured }: DashboardOptions, vitals: readonly WorkerVitals[]): Json {
  const models = new Set(vitals.flatMap(({ breakers }) => breakers.map(({ model }) => model)));
  return PROVIDER_NAMES.map((name) => ({
    name,
    configured: configured().includes(name),
    status: lastStatus(vitals, name),
    in_flight: vitals.reduce((sum, { inFlight }) => sum + (inFlight[name] ?? 0), 0),
    breaker: worstBreaker(vitals, name, ""),
    models: [...models]
      .map((model) => ({ model, state: worstBreaker(vitals, name, model) }))
      .filter(({ model, state }) => model !== "" && state !== "closed"),
  }));
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
