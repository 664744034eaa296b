/** Figures for the dashboard: since the start, over rolling windows, and the last requests. Memory is bounded. */
import type { Observer, RequestRecord } from "../base/events.ts";
import { isObject, isString, type Json, type JsonObject, own } from "../base/json.ts";
import { createModelLabel, type KnownModels } from "./labels.ts";
import { renderLedgerLine } from "./ledger-line.ts";
import type { LivePart, LiveQuery } from "./live-part.ts";
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

/** A request of this process, or one that a line of the ledger tells of. */
type Kept = RequestRecord | { readonly id: string; readonly line: JsonObject };

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
  /** In order of arrival, round and round: `next` is the oldest once it is full. */
  const ring: Kept[] = [];
  let next = 0;

  const keep = (value: Kept): void => {
    ring[next] = value;
    next = (next + 1) % MAX_KEPT;
  };
  const keptOf = (id: string): Kept | undefined => ring.find((kept) => kept.id === id);
  const count = (entry: LiveEntry): void => {
    addToGroups(entry, total, groups, INTO_FIGURES);
    series.add(entry);
  };

  const totalsBy: Live["totalsBy"] = (dimension) =>
    [...groups[dimension]].map(([name, figures]) => ({ name, ...figures }));
  const recent: Live["recent"] = (limit) =>
    [...ring.slice(next), ...ring.slice(0, next)]
      .slice(-limit)
      .reverse()
      .map((kept) => summarize(kept, redact));

  return {
    name: "live",
    events: ["exchange-finished"],
    observe: (event) => {
      if (event.type !== "exchange-finished" || !options.enabled()) return;
      const { record } = event;
      count(entryOfRecord(record, modelLabel));
      // Bodies are let go of; attempts are shared, so that the losing leg of a hedge may still end.
      const isBare = record.requestBytes === null && record.answer === null;
      keep(isBare ? record : { ...record, requestBytes: null, answer: null });
    },
    seed: (lines) => {
      const known = new Set(ring.map(({ id }) => id));
      for (const line of lines) {
        const entry = entryOfLine(line, modelLabel);
        const id = own(line, "id");
        // A request of this process may have come to the ledger already.
        if (entry === null || !isString(id) || known.has(id)) continue;
        known.add(id);
        series.addPast(entry);
        keep({ id, line });
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
      const found = keptOf(id);
      return found === undefined ? null : describe(found, redact);
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
function summarize(kept: Kept, redact: LiveOptions["redact"]): JsonObject {
  const known = describe(kept, redact);
  const facts = own(known, "facts");
  return {
    ...Object.fromEntries(SUMMARY.map((name) => [name, own(known, name) ?? null])),
    model_requested: own(facts, "model_requested") ?? own(facts, "model") ?? null,
  };
}

/** All that is known of a request: the ledger's line, and in `detail` what the ledger leaves out. */
function describe(kept: Kept, redact: LiveOptions["redact"]): JsonObject {
  if ("line" in kept) return kept.line;
  const line = renderLedgerLine(kept, { keepBody: false });
  return redactTexts(`${line.slice(0, -1)},"detail":${JSON.stringify(detailOf(kept))}}`, redact);
}

/** `json` with every text in it redacted, names too: of a figure that looks like a secret, nothing can be taken out. */
function redactTexts(json: string, redact: LiveOptions["redact"]): JsonObject {
  return JSON.parse(json, (_, value: Json) => {
    if (isString(value)) return redact(value);
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [redact(name), item]));
  }) as JsonObject;
}

function detailOf(record: RequestRecord): JsonObject {
  return {
    route: record.route,
    key: record.key,
    client: record.client,
    user_agent: record.userAgent,
    client_request_id: record.clientRequestId,
    model_requested: record.modelRequested,
    model_asked: record.modelAsked,
    upstream_format: record.upstreamFormat,
    error_message: record.errorMessage,
    chain: record.chain.map(({ model, result }) => ({ model, result })),
    fallback_reason: record.fallbackReason,
    hedge: record.hedge,
    validations: record.validations.map(({ validator, result, attempt }) => ({ validator, result, attempt })),
    tokens_input_estimate: record.tokensInputEstimate,
    bytes_in: record.bytesIn,
    bytes_out: record.bytesOut,
    attempts: record.attempts.map((attempt) => ({
      number: attempt.number,
      model: attempt.model,
      provider: attempt.provider,
      upstream_format: attempt.upstreamFormat,
      leg: attempt.leg,
      retry: attempt.retry,
      continues: attempt.continues,
      class: attempt.class,
      status: attempt.status,
      started_ms: attempt.startedMs,
      ttft_ms: attempt.ttftMs,
      ms: attempt.ms,
      cost_usd: attempt.costUsd,
      upstream_request_id: attempt.upstreamRequestId,
      failure: attempt.failure,
    })),
  };
}
