/** Sums up a ledger by rule, model, tag or day. */
import { totalInput } from "../base/usage.ts";
import type { LedgerEntry } from "../observe/ledger-read.ts";
import { createQuantiles, type Quantiles } from "./quantiles.ts";

export const REPORT_KEYS = ["rule", "model", "tag", "day"] as const;
export type ReportKey = (typeof REPORT_KEYS)[number];

export interface GroupTally {
  requests: number;
  tokensInput: number;
  tokensOutput: number;
  /** Requests whose tokens are, in part, estimates. */
  estimated: number;
  costUsd: number;
  savedUsd: number;
  /** Requests that used tokens and whose cost is not known. */
  unpriced: number;
  healed: number;
  exhausted: number;
  /** Requests that ended in an error of the provider or of the gateway. */
  errors: number;
  /** Requests whose client left. */
  left: number;
  readonly latencyMs: Quantiles;
}

export interface ReportTally {
  unreadable: number;
  /** Milliseconds since the epoch; null without any request. */
  firstMs: number | null;
  lastMs: number | null;
  readonly total: GroupTally;
  readonly groups: Map<string, GroupTally>;
}

/** Clients choose model names and tags: groups beyond these share one. */
const MAX_GROUPS = 10_000;
const REST = "other";

function createGroup(): GroupTally {
  return {
    requests: 0,
    tokensInput: 0,
    tokensOutput: 0,
    estimated: 0,
    costUsd: 0,
    savedUsd: 0,
    unpriced: 0,
    healed: 0,
    exhausted: 0,
    errors: 0,
    left: 0,
    latencyMs: createQuantiles(),
  };
}

export function createReportTally(): ReportTally {
  return { unreadable: 0, firstMs: null, lastMs: null, total: createGroup(), groups: new Map() };
}

/** Counts one line; null: a line that is none of a ledger. */
export function addEntry(tally: ReportTally, entry: LedgerEntry | null, by: ReportKey): void {
  if (entry === null) {
    tally.unreadable += 1;
    return;
  }
  tally.firstMs = Math.min(tally.firstMs ?? entry.wallMs, entry.wallMs);
  tally.lastMs = Math.max(tally.lastMs ?? entry.wallMs, entry.wallMs);
  addTo(tally.total, entry);
  for (const key of keysOf(entry, by)) addTo(groupOf(tally.groups, key), entry);
}

function keysOf(entry: LedgerEntry, by: ReportKey): readonly string[] {
  switch (by) {
    case "rule":
      return [entry.rule ?? "none"];
    case "model":
      return [entry.model ?? "none"];
    case "day":
      return [new Date(entry.wallMs).toISOString().slice(0, 10)];
    case "tag": {
      const tags = Object.entries(entry.tags).map(
        ([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
      );
      return tags.length === 0 ? ["none"] : tags;
    }
  }
}

function groupOf(groups: Map<string, GroupTally>, key: string): GroupTally {
  const known = groups.get(key);
  if (known !== undefined) return known;
  const name = groups.size < MAX_GROUPS ? key : REST;
  const group = groups.get(name) ?? createGroup();
  groups.set(name, group);
  return group;
}

function addTo(group: GroupTally, entry: LedgerEntry): void {
  group.requests += 1;
  let isEstimated = false;
  let isUsed = false;
  for (const { usage } of entry.attempts) {
    if (usage === null) continue;
    isUsed = true;
    isEstimated ||= usage.source === "estimated";
    group.tokensInput += totalInput(usage);
    group.tokensOutput += usage.output;
  }
  if (isEstimated) group.estimated += 1;
  if (isUsed && entry.costUsd === null) group.unpriced += 1;
  group.costUsd += entry.costUsd ?? 0;
  group.savedUsd += entry.savedUsd ?? 0;
  if (entry.heal === "healed") group.healed += 1;
  if (entry.heal === "exhausted") group.exhausted += 1;
  if (entry.outcome === "client_gone") group.left += 1;
  else if (entry.outcome !== "complete") group.errors += 1;
  if (entry.ms !== null) group.latencyMs.add(entry.ms);
}
