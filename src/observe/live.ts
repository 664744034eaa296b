/** Figures for the dashboard: since the start, over rolling windows, and the last requests. Memory is bounded. */
import type { Observer } from "../base/events.ts";
import { isObject, isString, type Json, type JsonObject, own } from "../base/json.ts";
import { createModelLabel, type KnownModels } from "./labels.ts";
import { createLedgerLines, type LedgerLines } from "./ledger-lines.ts";
import type { LivePart, LiveQuery } from "./live-part.ts";
import { createLiveRing, idOf } from "./live-ring.ts";
import { entryOfLine, entryOfRecord, type LiveEntry } from "./live-entry.ts";
import {
  addDelivered,
  addToGroups,
  type Counting,
  createFigures,
  createLiveSeries,
  type Dimension,
  DIMENSIONS,
  type Figures,
  type Groups,
  viewBins,
  type WindowName,
  type WindowView,
} from "./live-series.ts";

export interface LiveOptions {
  /** Read at each request. */
  readonly enabled: () => boolean;
  readonly models: () => KnownModels;
  /** Milliseconds since the epoch. */
  readonly wallMs: () => number;
  /** Takes every secret out of a text. */
  readonly redact: (text: string) => string;
  /** The ledger's; unset: its own. */
  readonly lines?: LedgerLines;
}

export interface NamedFigures extends Readonly<Figures> {
  readonly name: string;
}

export interface Live extends Observer {
  /** Takes in lines of the ledger, oldest first, as if the requests had been seen; {@link totals} begin at the start. */
  readonly seed: (lines: readonly JsonObject[]) => void;
  /** Since the start. */
  readonly totals: () => Readonly<Figures>;
  readonly totalsBy: (dimension: Dimension) => readonly NamedFigures[];
  readonly window: (name: WindowName, by: Dimension | null) => WindowView;
  /** What this process knows, for {@link mergeLive}. */
  readonly part: (query: LiveQuery) => LivePart;
  /** The last requests, newest first. */
  readonly recent: (limit: number) => readonly JsonObject[];
  /** A request by its id: its ledger line, and what else is known of it. null when it is not remembered. */
  readonly find: (id: string) => JsonObject | null;
}

/** Requests that can be asked for. */
const MAX_KEPT = 1000;
/** Names of a dimension since the start; labels are bounded by policy, catalog and configuration, this bounds reloads. */
const MAX_NAMES = 500;

function findFigures(group: Map<string, Figures>, name: string): Figures {
  const known = group.get(name);
  if (known !== undefined) return known;
  const key = group.size < MAX_NAMES ? name : "other";
  const figures = group.get(key) ?? createFigures();
  group.set(key, figures);
  return figures;
}

const INTO_FIGURES: Counting<Figures> = { find: findFigures, add: addDelivered };

export function createLive(options: LiveOptions): Live {
  const { redact } = options;
  const modelLabel = createModelLabel(options.models);
  const series = createLiveSeries();
  const total = createFigures();
  const groups: Groups<Figures> = { rule: new Map(), model: new Map(), provider: new Map() };
  const { lines = createLedgerLines() } = options;
  const ring = createLiveRing(MAX_KEPT, lines);

  const count = (entry: LiveEntry): void => {
    addToGroups(entry, total, groups, INTO_FIGURES);
    series.add(entry);
  };

  const totalsBy: Live["totalsBy"] = (dimension) =>
    [...groups[dimension]].map(([name, figures]) => ({ name, ...figures }));
  const recent: Live["recent"] = (limit) => ring.newest(limit).map((line) => summarize(redactTexts(line, redact)));

  return {
    name: "live",
    events: ["exchange-finished"],
    observe: (event) => {
      if (event.type !== "exchange-finished") return;
      const { record } = event;
      if (options.enabled()) {
        count(entryOfRecord(record, modelLabel));
        ring.add(record);
      }
      lines.forget();
    },
    seed: (lines) => {
      const known = new Set(ring.newest(MAX_KEPT).map(idOf));
      for (const line of lines) {
        const entry = entryOfLine(line, modelLabel);
        const id = own(line, "id");
        // A request of this process may have come to the ledger already.
        if (entry === null || !isString(id) || known.has(id)) continue;
        known.add(id);
        series.addPast(entry);
        ring.addLine(line);
      }
    },
    totals: () => total,
    totalsBy,
    window: (name, by) => {
      const nowMs = options.wallMs();
      return viewBins(series.bins(name, by, nowMs), name, by, nowMs);
    },
    part: ({ window, by, nowMs, recent: limit }) => ({
      totals: total,
      by: { rule: totalsBy("rule"), model: totalsBy("model"), provider: totalsBy("provider") },
      bins: series.bins(window, by, nowMs),
      recent: recent(limit),
    }),
    recent,
    find: (id) => {
      const line = ring.find(id);
      return line === null ? null : redactTexts(line, redact);
    },
  };
}

export function isDimension(text: string | null): text is Dimension {
  return DIMENSIONS.some((name) => name === text);
}

const SUMMARY = [
  "time",
  "id",
  "format",
  "stream",
  "rule",
  "outcome",
  "status",
  "error",
  "model",
  "provider",
  "heal",
  "cost_usd",
  "saved_usd",
  "ttft_ms",
  "ms",
] as const;

/** A row of the list. */
function summarize(known: JsonObject): JsonObject {
  const facts = own(known, "facts");
  return {
    ...Object.fromEntries(SUMMARY.map((name) => [name, own(known, name) ?? null])),
    model_requested: own(facts, "model_requested") ?? own(facts, "model") ?? null,
  };
}

/** `json` with every text in it redacted, names too: of a figure that looks like a secret, nothing can be taken out. */
function redactTexts(json: string, redact: LiveOptions["redact"]): JsonObject {
  return JSON.parse(json, (_, value: Json) => {
    if (isString(value)) return redact(value);
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [redact(name), item]));
  }) as JsonObject;
}
