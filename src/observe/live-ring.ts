/**
 * The last requests, as JSON in bytes that are used over and over. As records they outlived the collector's young generation, each
 * with all that it refers to: of what a request left to the collector that was a quarter, and the dearest.
 */
import type { AttemptRecord, RequestRecord } from "../base/events.ts";
import { isString, type JsonObject, own } from "../base/json.ts";
import type { LedgerLines } from "./ledger-lines.ts";
import type { LineBytes } from "./line-bytes.ts";

export interface LiveRing {
  /** The oldest makes room. Uses up the record's line. */
  readonly add: (record: RequestRecord) => void;
  readonly addLine: (line: JsonObject) => void;
  /** Lines as they were written, no secret taken out, newest first. */
  readonly newest: (limit: number) => readonly string[];
  /** The line of the request with this id; null without one. */
  readonly find: (id: string) => string | null;
}

interface Slot {
  bytes: Buffer;
  length: number;
  /** Instead, while an attempt of it is under way: the losing leg of a hedge may still end. */
  record: RequestRecord | null;
}

/** Slots have a multiple of these. */
const SLOT_BYTES = 1024;

/** `maxRequests`: how many it keeps. */
export function createLiveRing(maxRequests: number, lines: LedgerLines): LiveRing {
  /** In order of arrival, round and round: `next` is the oldest once it is full. */
  const slots: Slot[] = [];
  let next = 0;

  const takeSlot = (): Slot => {
    const slot = slots[next] ?? { bytes: Buffer.alloc(0), length: 0, record: null };
    slots[next] = slot;
    next = (next + 1) % maxRequests;
    slot.record = null;
    return slot;
  };
  /** Copies the first `length` of `bytes` into the next slot. */
  const put = (bytes: Buffer, length: number): void => {
    const slot = takeSlot();
    const size = Math.ceil(length / SLOT_BYTES) * SLOT_BYTES;
    // One that a long line made large does not stay so.
    if (slot.bytes.length < size || slot.bytes.length > 2 * size) slot.bytes = Buffer.allocUnsafeSlow(size);
    bytes.copy(slot.bytes, 0, 0, length);
    slot.length = length;
  };
  const textOf = ({ bytes, length, record }: Slot): string => {
    if (record === null) return bytes.toString("utf8", 0, length);
    return writeLive(record, lines).toText();
  };

  return {
    add: (record) => {
      if (record.attempts.some(isUnderWay)) {
        // Bodies are let go of.
        takeSlot().record = { ...record, requestBytes: null, answer: null };
        return;
      }
      const { bytes, length } = writeLive(record, lines);
      put(bytes, length);
    },
    addLine: (object) => {
      const bytes = Buffer.from(JSON.stringify(object));
      put(bytes, bytes.length);
    },
    newest: (limit) => [...slots.slice(next), ...slots.slice(0, next)].slice(-limit).toReversed().map(textOf),
    find: (id) => {
      const needle = JSON.stringify(id);
      for (const slot of slots) {
        if (slot.record === null && !slot.bytes.subarray(0, slot.length).includes(needle)) continue;
        const text = textOf(slot);
        if (idOf(text) === id) return text;
      }
      return null;
    },
  };
}

function isUnderWay({ ms }: AttemptRecord): boolean {
  return ms === null;
}

/** Of a line. */
export function idOf(text: string): string | null {
  const id = own(JSON.parse(text), "id");
  return isString(id) ? id : null;
}

/** The ledger's line, and in `detail` what the ledger leaves out. Written behind the line, which is good no more. */
function writeLive(record: RequestRecord, lines: LedgerLines): LineBytes {
  const { line, openLength } = lines.of(record, false);
  lines.forget();
  line.cut(openLength);
  line.plain(',"detail":{"route":');
  line.text(record.route);
  line.plain(',"key":');
  line.text(record.key);
  line.plain(',"client":');
  line.text(record.client);
  line.plain(',"user_agent":');
  line.text(record.userAgent);
  line.plain(',"client_request_id":');
  line.text(record.clientRequestId);
  line.plain(',"model_requested":');
  line.text(record.modelRequested);
  line.plain(',"model_asked":');
  line.text(record.modelAsked);
  line.plain(',"upstream_format":');
  line.text(record.upstreamFormat);
  line.plain(',"error_message":');
  line.text(record.errorMessage);
  line.plain(',"chain":[');
  let start = '{"model":';
  for (const { model, result } of record.chain) {
    line.plain(start);
    line.text(model);
    line.plain(',"result":');
    line.text(result);
    line.plain("}");
    start = ',{"model":';
  }
  line.plain('],"fallback_reason":');
  line.text(record.fallbackReason);
  line.plain(',"hedge":');
  line.text(record.hedge);
  line.plain(',"validations":[');
  start = '{"validator":';
  for (const { validator, result, attempt } of record.validations) {
    line.plain(start);
    line.text(validator);
    line.plain(',"result":');
    line.text(result);
    line.plain(',"attempt":');
    line.number(attempt);
    line.plain("}");
    start = ',{"validator":';
  }
  line.plain('],"tokens_input_estimate":');
  line.number(record.tokensInputEstimate);
  line.plain(',"bytes_in":');
  line.number(record.bytesIn);
  line.plain(',"bytes_out":');
  line.number(record.bytesOut);
  line.plain(',"attempts":[');
  start = '{"number":';
  for (const attempt of record.attempts) {
    line.plain(start);
    writeAttempt(line, attempt);
    start = ',{"number":';
  }
  line.plain("]}}");
  return line;
}

/** To three places: more are noise, and cost as much as the rest of a line. */
function toMicros(milliseconds: number | null): number | null {
  return milliseconds === null ? null : Math.round(milliseconds * 1000) / 1000;
}

/** From its number on. */
function writeAttempt(line: LineBytes, attempt: AttemptRecord): void {
  line.number(attempt.number);
  line.plain(',"model":');
  line.text(attempt.model);
  line.plain(',"provider":');
  line.text(attempt.provider);
  line.plain(',"upstream_format":');
  line.text(attempt.upstreamFormat);
  line.plain(',"leg":');
  line.text(attempt.leg);
  line.plain(',"retry":');
  line.number(attempt.retry);
  line.plain(',"continues":');
  line.flag(attempt.continues);
  line.plain(',"class":');
  line.text(attempt.class);
  line.plain(',"status":');
  line.number(attempt.status);
  line.plain(',"started_ms":');
  line.number(toMicros(attempt.startedMs));
  line.plain(',"ttft_ms":');
  line.number(toMicros(attempt.ttftMs));
  line.plain(',"ms":');
  line.number(toMicros(attempt.ms));
  line.plain(',"cost_usd":');
  line.number(attempt.costUsd);
  line.plain(',"upstream_request_id":');
  line.text(attempt.upstreamRequestId);
  line.plain(',"failure":');
  line.text(attempt.failure);
  line.plain("}");
}
