/** What `arouter explain` prints: five sections, or the same as JSON. */
import { isArray } from "../base/json.ts";
import type { Json, JsonObject } from "../base/json.ts";
import type { FormatName } from "../base/names.ts";
import { renderUsd } from "../catalog/price.ts";
import type { RuleTrace } from "../policy/decide.ts";
import type { Decision } from "../policy/decision.ts";
import { describeDecision, summarizeDecision } from "../policy/summary.ts";

/** One candidate of the plan. */
export interface PlannedAttempt {
  readonly model: string;
  readonly provider: string | null;
  readonly upstreamFormat: FormatName | null;
  readonly passThrough: boolean;
  /** Why it cannot serve the request, and what becomes of it then; null when nothing speaks against it. */
  readonly note: string | null;
}

/** US dollars; null: unpriced. */
export interface Estimate {
  readonly costUsd: number | null;
  readonly savedUsd: number | null;
  readonly tokensOutput: number;
}

/** What there is to say about one request. */
export interface Explanation {
  readonly facts: JsonObject;
  readonly rules: readonly RuleTrace[];
  readonly decision: Decision;
  readonly plan: readonly PlannedAttempt[];
  readonly estimate: Estimate;
}

const SEPARATOR = " · ";

function show(value: Json): string {
  if (isArray(value)) return value.map(show).join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

function section(title: string, lines: readonly string[]): string {
  return lines
    .map((line, index) => `${(index === 0 ? title : "").padEnd(10)}${line}\n`.replace(/ +\n$/, "\n"))
    .join("");
}

/** Columns as wide as their longest cell, two spaces apart. */
function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

function ruleRow({ rule, result, why }: RuleTrace): readonly string[] {
  switch (result) {
    case "matched":
      return [`* ${rule}`, "matched"];
    case "forced":
      return [`* ${rule}`, "forced by x-arouter-rule"];
    case "failed":
      return [`- ${rule}`, why ?? "failed"];
    case "not-reached":
      return [`  ${rule}`, "not reached"];
  }
}

export function renderText({ facts, rules, decision, plan, estimate }: Explanation): string {
  const factsLine = Object.entries(facts)
    .map(([name, value]) => `${name} ${show(value)}${name === "tokens_input" ? " (estimated)" : ""}`)
    .join(SEPARATOR);
  const decisionLine = [
    ...Object.entries(summarizeDecision(decision)).map(([name, value]) => `${name} ${show(value)}`),
    `policy ${decision.policy ?? "none"}`,
  ].join(SEPARATOR);
  const planRows = plan.map(({ model, provider, upstreamFormat, passThrough, note }, index) => [
    `${index + 1} ${model}`,
    provider ?? "no provider",
    [
      ...(upstreamFormat === null ? [] : [upstreamFormat, passThrough ? "pass-through" : "translated"]),
      ...(note === null ? [] : [note]),
    ].join(", "),
  ]);
  const dollars = (amount: number | null): string => (amount === null ? "unknown" : renderUsd(amount));
  const cost = `cost ${dollars(estimate.costUsd)}${SEPARATOR}saved ${dollars(estimate.savedUsd)} USD`;
  return [
    section("facts", [factsLine]),
    section("rules", rules.length === 0 ? ["none"] : columns(rules.map(ruleRow))),
    section("decision", [decisionLine]),
    section("plan", plan.length === 0 ? ["nobody is asked"] : columns(planRows)),
    section("estimate", [
      decision.block === null ? `${cost} (first attempt, ${estimate.tokensOutput} tokens out)` : cost,
    ]),
  ].join("");
}

export function renderJson({ facts, rules, decision, plan, estimate }: Explanation): string {
  return JSON.stringify({
    facts,
    rules,
    decision: describeDecision(decision),
    plan: plan.map(({ model, provider, upstreamFormat, passThrough, note }) => ({
      model,
      provider,
      upstream_format: upstreamFormat,
      pass_through: passThrough,
      note,
    })),
    estimate: { cost_usd: estimate.costUsd, saved_usd: estimate.savedUsd, tokens_output: estimate.tokensOutput },
  });
}
