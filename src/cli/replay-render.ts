/** A replay's result, for people and for programs. */
import { renderUsd } from "../catalog/price.ts";
import type { Policy } from "../policy/policy.ts";
import type { Money, MoveTally, ReplayTally } from "./replay-tally.ts";
import { renderTable } from "./table.ts";

const SHOWN_MOVES = 20;
const RIGHT: ReadonlySet<string> = new Set(["REQUESTS", "MOVE", "BEFORE $", "AFTER $", "CHANGE $"]);

/** Dollars for people: six places are a ten-thousandth of a cent. */
function money(dollars: number): string {
  return renderUsd(Number(dollars.toFixed(6)));
}

function change({ costBefore, costAfter }: Money): string {
  const text = money(costAfter - costBefore);
  return text.startsWith("-") || text === "0" ? text : `+${text}`;
}

function sum(tally: ReplayTally): Money {
  const total: Money = { costBefore: 0, costAfter: 0, unpriced: 0 };
  for (const rule of tally.rules.values()) {
    total.costBefore += rule.costBefore;
    total.costAfter += rule.costAfter;
    total.unpriced += rule.unpriced;
  }
  return total;
}

function sortedMoves({ moves }: ReplayTally): readonly MoveTally[] {
  return [...moves.values()].sort((a, b) => b.requests - a.requests || (a.modelFrom < b.modelFrom ? -1 : 1));
}

function undecidedCount({ undecided }: ReplayTally): number {
  return [...undecided.values()].reduce((total, count) => total + count, 0);
}

export function renderReplayText(tally: ReplayTally, policy: Policy): string {
  const total = sum(tally);
  const decided = tally.same + tally.changed + tally.moved;
  const recorded = [...tally.policies].map((hash) => hash ?? "none").join(", ");
  const open = undecidedCount(tally);
  const others = [
    tally.changed === 0 ? "" : ` · ${tally.changed} change without moving`,
    tally.none === 0 ? "" : ` · ${tally.none} had no decision`,
    open === 0 ? "" : ` · ${open} could not be decided`,
    tally.unreadable === 0 ? "" : ` · ${tally.unreadable} lines are no ledger's`,
  ].join("");
  const lines = [
    `policy     ${policy.hash12 ?? "none"}, recorded under ${recorded === "" ? "none" : recorded}\n`,
    `requests   ${decided} decided again${others}\n`,
    `moved      ${tally.moved}${decided === 0 ? "" : ` (${((tally.moved / decided) * 100).toFixed(1)} %)`}\n`,
  ];
  if (tally.moved > 0) {
    const unpriced = total.unpriced === 0 ? "" : `; ${total.unpriced} without a known price left out`;
    lines.push(`cost       ${money(total.costBefore)} → ${money(total.costAfter)} USD (${change(total)})${unpriced}\n`);
  }
  for (const [why, count] of tally.undecided) lines.push(`undecided  ${count}: ${why}\n`);
  if (tally.rules.size > 0) lines.push(`\n${rulesTable(tally)}`);
  if (tally.moves.size > 0) lines.push(`\n${movesTable(tally)}`);
  return lines.join("");
}

function rulesTable({ rules }: ReplayTally): string {
  const rows = [...rules]
    .sort(([, a], [, b]) => b.requests - a.requests)
    .map(([name, rule]) => [
      name ?? "none",
      String(rule.requests),
      String(rule.moved),
      money(rule.costBefore),
      money(rule.costAfter),
      change(rule),
    ]);
  return renderTable([["RULE", "REQUESTS", "MOVE", "BEFORE $", "AFTER $", "CHANGE $"], ...rows], RIGHT);
}

function movesTable(tally: ReplayTally): string {
  const moves = sortedMoves(tally);
  const rows = moves
    .slice(0, SHOWN_MOVES)
    .map((move) => [
      `${move.ruleFrom ?? "none"} → ${move.ruleTo ?? "none"}`,
      `${move.modelFrom} → ${move.modelTo ?? "blocked"}`,
      String(move.requests),
      change(move),
    ]);
  const rest = moves.length - rows.length;
  return (
    renderTable([["FROM RULE → TO", "FROM MODEL → TO", "REQUESTS", "CHANGE $"], ...rows], RIGHT) +
    (rest > 0 ? `… and ${rest} more (--json has all)\n` : "")
  );
}

/** A number with at most 12 places, as dollars are kept. */
function exact(dollars: number): number {
  return Number(renderUsd(dollars));
}

function moneyJson({ costBefore, costAfter, unpriced }: Money) {
  return {
    cost_before_usd: exact(costBefore),
    cost_after_usd: exact(costAfter),
    change_usd: exact(costAfter - costBefore),
    unpriced,
  };
}

export function renderReplayJson(tally: ReplayTally, policy: Policy): string {
  const result = {
    policy: policy.hash12,
    recorded_policies: [...tally.policies],
    lines: tally.lines,
    decided: tally.same + tally.changed + tally.moved,
    same: tally.same,
    changed: tally.changed,
    moved: tally.moved,
    without_decision: tally.none,
    unreadable: tally.unreadable,
    undecided: undecidedCount(tally),
    undecided_by: Object.fromEntries(tally.undecided),
    ...moneyJson(sum(tally)),
    rules: [...tally.rules].map(([rule, { requests, moved, changed, ...rest }]) => ({
      rule,
      requests,
      moved,
      changed,
      ...moneyJson(rest),
    })),
    moves: sortedMoves(tally).map(({ ruleFrom, ruleTo, modelFrom, modelTo, requests, ...rest }) => ({
      rule_from: ruleFrom,
      rule_to: ruleTo,
      model_from: modelFrom,
      model_to: modelTo,
      requests,
      ...moneyJson(rest),
    })),
  };
  return `${JSON.stringify(result, null, 2)}\n`;
}
