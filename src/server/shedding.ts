/** Turning new requests away while the process itself runs short of memory or files (docs/resilience.md, limits). */
import type { Clock } from "../base/clock.ts";

/** What the process uses of what it may. */
export interface Pressure {
  readonly residentBytes: number;
  /** null where the system does not tell. */
  readonly openFiles: number | null;
  readonly maxFiles: number | null;
}

export type SheddingReason = "memory" | "files";

export interface SheddingOptions {
  readonly clock: Clock;
  readonly read: () => Pressure;
  /** `limits.rss_bytes`; null: no limit. Asked at each look, so that a reload takes effect. */
  readonly rssBytes: () => number | null;
  /**
   * Called once a second while memory is short: what is not used is given back, or an idle process would stay full.
   */
  readonly relieve: () => void;
}

export interface Shedding {
  /** Why no request may come in now; null: it may. Cheap: the process is looked at {@link LOOK_MS} apart. */
  readonly reason: () => SheddingReason | null;
  /** Notes a request that was turned away for want of a place. */
  readonly note: () => void;
  /** Whether requests are being turned away, for readiness: now, or within the last second. */
  readonly isShedding: () => boolean;
}

/** Between two looks at the process, ms: counting open files walks a folder. */
const LOOK_MS = 250;
/** Share of the file limit beyond which requests are turned away; health checks and signals need the rest. */
const FILES_SHARE = 0.9;
const RECENT_MS = 1000;
const RELIEVE_MS = 1000;

export function createShedding(options: SheddingOptions): Shedding {
  const { clock } = options;
  let lookedMs = Number.NEGATIVE_INFINITY;
  let notedMs = Number.NEGATIVE_INFINITY;
  let relievedMs = Number.NEGATIVE_INFINITY;
  let found: SheddingReason | null = null;

  const look = (): SheddingReason | null => {
    const { residentBytes, openFiles, maxFiles } = options.read();
    const rssBytes = options.rssBytes();
    if (rssBytes !== null && residentBytes > rssBytes) {
      if (lookedMs - relievedMs >= RELIEVE_MS) {
        relievedMs = lookedMs;
        options.relieve();
      }
      return "memory";
    }
    return openFiles !== null && maxFiles !== null && openFiles > maxFiles * FILES_SHARE ? "files" : null;
  };

  const reason = (): SheddingReason | null => {
    const nowMs = clock.nowMs();
    if (nowMs - lookedMs >= LOOK_MS) {
      lookedMs = nowMs;
      found = look();
    }
    return found;
  };

  return {
    reason,
    note: () => {
      notedMs = clock.nowMs();
    },
    isShedding: () => reason() !== null || clock.nowMs() - notedMs < RECENT_MS,
  };
}
