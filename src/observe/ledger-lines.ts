/** A request's line for whoever wants it while it is told of: the ledger writes it, and the dashboard keeps it with more behind. */
import type { RequestRecord } from "../base/events.ts";
import { writeLedgerLine } from "./ledger-line.ts";
import { createLineBytes, type LineBytes } from "./line-bytes.ts";

export interface LedgerLines {
  /** The line of `record`; good until another is asked for. `keepBody`: with the client's body, unless it is there already. */
  readonly of: (record: RequestRecord, keepBody: boolean) => LedgerLineBytes;
  /** Ends what is told of a record: its line is asked for no more, and nothing of it is kept. */
  readonly forget: () => void;
}

export interface LedgerLineBytes {
  readonly line: LineBytes;
  /** How much of it is without the client's body and the brace at the end. */
  readonly openLength: number;
}

export function createLedgerLines(): LedgerLines {
  const line = createLineBytes();
  const current = { line, openLength: 0 };
  let of: RequestRecord | null = null;
  return {
    of: (record, keepBody) => {
      if (record !== of) {
        of = null;
        line.reset();
        current.openLength = writeLedgerLine(line, record, { keepBody });
        of = record;
      }
      return current;
    },
    forget: () => {
      of = null;
    },
  };
}
