/** The ledger: one JSON line per request, for `arouter replay` and `arouter report`. */
import type { Clock } from "../base/clock.ts";
import type { Emit, Observer } from "../base/events.ts";
import type { Redact } from "../base/secret.ts";
import { createAppendFile, type Exclusively } from "./append-file.ts";
import { createLedgerLines, type LedgerLines } from "./ledger-lines.ts";

/** `[ledger]`. */
export interface LedgerSettings {
  /** null: there is none. */
  readonly file: string | null;
  readonly maxBytes: number;
  /** Rotated files kept. */
  readonly keep: number;
  /** Keep the requests' bodies. */
  readonly requests: boolean;
}

export interface LedgerOptions {
  readonly after: Clock["after"];
  /** Read at each request, so that a reload may change it. */
  readonly settings: () => LedgerSettings;
  readonly emit: Emit;
  /** Takes every secret out of a text. */
  readonly redact: Redact;
  /** Shared with observers that are told after this one, the last of which forgets; unset: its own. */
  readonly lines?: LedgerLines;
  /** Where several processes write the file. */
  readonly exclusively?: Exclusively;
}

export interface Ledger extends Observer {
  /** Opens the file and repairs it, before the first request. */
  readonly start: () => Promise<void>;
  /** Resolves once everything so far is written, or counted as dropped. */
  readonly flush: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Writes within 100 ms and at close. What cannot be written is told as `ledger-dropped`; no request ever waits for it. */
export function createLedger(options: LedgerOptions): Ledger {
  const { redact, settings } = options;
  const { lines = createLedgerLines() } = options;
  const file = createAppendFile({
    after: options.after,
    path: () => settings().file,
    maxBytes: () => settings().maxBytes,
    keep: () => settings().keep,
    onDropped: (count, reason) => options.emit({ type: "ledger-dropped", count, reason }),
    ...(options.exclusively === undefined ? {} : { exclusively: options.exclusively }),
  });
  return {
    name: "ledger",
    events: ["exchange-finished"],
    observe: (event) => {
      if (event.type !== "exchange-finished") return;
      const { file: path, requests } = settings();
      if (path === null) return;
      const { line } = lines.of(event.record, requests);
      if (redact.isIn?.(line.bytes, 0, line.length) === false) file.writeBytes(line.bytes, line.length);
      else file.write(redact(line.toText()));
      if (options.lines === undefined) lines.forget();
    },
    start: file.start,
    flush: file.flush,
    close: file.close,
  };
}
