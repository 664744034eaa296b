/** What the supervisor and its workers say to each other, over the channel that a spawned process has to its parent. */
import type { ProviderName } from "../base/names.ts";
import type { JsonObject } from "../base/json.ts";
import type { LivePart, LiveQuery } from "../observe/live-part.ts";
import type { LogFields } from "../observe/log.ts";
import type { MetricFamily } from "../observe/metrics-merge.ts";

type BreakerKind = "closed" | "open" | "half_open";

/** The state of one worker, as far as it matters to who asks another. */
export interface WorkerVitals {
  readonly startedWallMs: number;
  readonly queueDepth: number;
  readonly inFlight: Readonly<Partial<Record<ProviderName, number>>>;
  /** `model` is "" for a provider's own. */
  readonly breakers: readonly { readonly provider: string; readonly model: string; readonly state: BreakerKind }[];
  /** Last known status of the providers it has asked, and when that was, RFC 3339 in UTC. */
  readonly health: Readonly<Record<string, { readonly status: string; readonly checked: string }>>;
  /** Result of its last reload. */
  readonly reload: "ok" | "error";
  /** False while it turns requests away to save itself. */
  readonly isReady: boolean;
}

/** What can be asked of every worker: by topic, with what argument, and what each answers. */
export interface Topics {
  readonly metrics: { readonly argument: null; readonly answer: readonly MetricFamily[] };
  readonly vitals: { readonly argument: null; readonly answer: WorkerVitals };
  readonly live: { readonly argument: LiveQuery; readonly answer: LivePart };
  /** A request by its id; null: not remembered. */
  readonly request: { readonly argument: string; readonly answer: JsonObject | null };
}

export type Topic = keyof Topics;

/** How a worker begins. */
export interface StartOrder {
  readonly kind: "start";
  /** How many there are, this one included. */
  readonly workers: number;
  /** Where to listen instead of what the configuration says: the port that the first one got. */
  readonly listenAddr: string | null;
  readonly metricsAddr: string | null;
  /** Whether the log goes to a terminal in the end. */
  readonly isTerminal: boolean;
  /** Whether it is the first one ever: it tells of the start, and fills its dashboard from the ledger. */
  readonly isFirst: boolean;
  /** What the last worker to say so keeps (see `keep`): to begin with instead of the files. null: nothing yet. */
  readonly lastGood: unknown;
}

/** What a worker knows of the others. */
export interface StateOrder {
  readonly kind: "state";
  /** One worker is the leader: it tells what concerns all of them. */
  readonly isLeader: boolean;
  readonly running: number;
  /** Workers that ended by themselves so far, and were started again. */
  readonly restarts: number;
}

/** From the supervisor to a worker. */
export type Order =
  | StartOrder
  | StateOrder
  | { readonly kind: "stop"; readonly signal: StopSignal }
  | { readonly kind: "reload" }
  | { readonly kind: "ask"; readonly id: number; readonly topic: Topic; readonly argument: unknown }
  | { readonly kind: "gathered"; readonly id: number; readonly answers: readonly unknown[] }
  | { readonly kind: "granted"; readonly name: string }
  | { readonly kind: "log"; readonly level: "info" | "warn"; readonly message: string; readonly fields: LogFields }
  | { readonly kind: "ping" };

/** From a worker to the supervisor. */
export type Report =
  | ReadyReport
  | { readonly kind: "gather"; readonly id: number; readonly topic: Topic; readonly argument: unknown }
  | { readonly kind: "answer"; readonly id: number; readonly answer: unknown }
  /** Configuration and policy that are in force, for workers that are started from now on. */
  | { readonly kind: "keep"; readonly lastGood: unknown }
  | { readonly kind: "lock"; readonly name: string }
  | { readonly kind: "unlock"; readonly name: string }
  | { readonly kind: "pong" };

export interface ReadyReport {
  readonly kind: "ready";
  /** Where it listens. */
  readonly address: string;
  /** null without an address of their own. */
  readonly metricsAddress: string | null;
  /** Which providers are ready, in words. */
  readonly providers: string;
}

export type StopSignal = "SIGTERM" | "SIGINT";
