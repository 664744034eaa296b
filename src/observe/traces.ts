/**
 * Traces, rendered from finished requests and sent in batches. Requests wait as they are and become spans when their batch
 * is sent, off the path of any answer. What cannot be sent is dropped and counted; memory is bounded by the queue.
 */
import type { Clock } from "../base/clock.ts";
import type { Emit, GatewayEvent, Observer, RequestRecord } from "../base/events.ts";
import type { EncodeSpans, Finished } from "./otlp-encode.ts";
import { parseOtlpEndpoint, type OtlpProtocol } from "./otlp-endpoint.ts";
import type { OtlpResult, OtlpTransport } from "./otlp-transport.ts";
import type { SpanNote, SpanNoteName } from "./render-spans.ts";
import { MAX_BODY_BYTES } from "./span-content.ts";
import { type Attributes, readAttributes, RESOURCE_ATTRIBUTES, type SpanContext } from "./span-attributes.ts";

export interface TracesOptions {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly endpoint: string;
  readonly protocol: "auto" | OtlpProtocol;
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly version: string;
  /** Most spans that wait. */
  readonly queueSize: number;
  readonly context: SpanContext;
  /** Takes every secret out of a text. */
  readonly redact: (text: string) => string;
  /** How batches are encoded and sent; tests put their own. */
  readonly open?: () => Promise<Sender>;
}

export interface Sender {
  readonly encode: EncodeSpans;
  readonly transport: OtlpTransport;
}

/** A batch is sent when it has this many spans, or after {@link DELAY_MS}. */
const BATCH_SPANS = 512;
const DELAY_MS = 1000;
/** For one batch, its retries included. */
const SEND_MS = 10_000;
const FIRST_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 4000;
/** For what is left at shutdown; below the time that all observers get together. */
const CLOSE_MS = 1500;
/** Of bodies that wait or are being sent, with `capture_content`. */
const MAX_CONTENT_BYTES = 64 * 1024 * 1024;
/** A request that is retried for ever tells of the first. */
const MAX_NOTES = 64;

export function createTraces(options: TracesOptions): Observer {
  const { clock, emit } = options;
  const notes = new WeakMap<RequestRecord, SpanNote[]>();
  let waiting: Finished[] = [];
  let waitingSpans = 0;
  let contentBytes = 0;
  let cancelTimer: (() => void) | null = null;
  let sending: Promise<void> | null = null;
  let sender: Promise<Sender> | null = null;
  /** Aborts when a shutdown has waited long enough. */
  const hurry = new AbortController();

  const drop = (count: number, reason: string): void => {
    if (count > 0) emit({ type: "telemetry-dropped", count, reason: options.redact(reason) });
  };

  const takeBatch = (): Finished[] => {
    let spans = 0;
    let length = 0;
    while (length < waiting.length && spans < BATCH_SPANS) spans += spansOf(waiting[length++]?.record);
    const batch = waiting.slice(0, length);
    waiting = waiting.slice(length);
    waitingSpans -= spans;
    return batch;
  };

  const send = async (batch: readonly Finished[]): Promise<void> => {
    sender ??= options.open?.() ?? openSender(options);
    const result = await trySend(options, sender, batch, hurry.signal);
    if (result.kind === "ok") return;
    const spans = countSpans(batch);
    drop(result.kind === "partly" ? Math.min(result.rejected, spans) : spans, result.reason);
  };

  const sendAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = takeBatch();
      await send(batch);
      for (const { record } of batch) contentBytes -= bytesOf(record);
    }
  };

  const start = (): void => {
    cancelTimer?.();
    cancelTimer = null;
    if (sending !== null) return;
    sending = sendAll().finally(() => {
      sending = null;
    });
  };

  const enqueue = (finished: Finished): void => {
    const spans = spansOf(finished.record);
    if (waitingSpans + spans > options.queueSize) {
      drop(spans, "the queue is full (telemetry.queue_size)");
      return;
    }
    const bytes = bytesOf(finished.record);
    if (contentBytes + bytes > MAX_CONTENT_BYTES) {
      drop(spans, "the bodies that wait are too large (telemetry.capture_content)");
      return;
    }
    waiting.push(finished);
    waitingSpans += spans;
    contentBytes += bytes;
    if (waitingSpans >= BATCH_SPANS) start();
    else if (sending === null) cancelTimer ??= clock.after(DELAY_MS, start);
  };

  return {
    name: "traces",
    events: ["exchange-finished", "retry-scheduled", "hedge-launched", "hedge-finished", "candidate-rejected"],
    observe: (event) => {
      if (event.type === "exchange-finished") {
        const { record } = event;
        if (record.trace.sampled) {
          enqueue({ record: lighten(record, options.context.content), notes: notes.get(record) ?? [] });
        }
        return;
      }
      const note = readNote(event, clock);
      if (note === null || !note.record.trace.sampled) return;
      const list = notes.get(note.record);
      if (list === undefined) notes.set(note.record, [note.note]);
      else if (list.length < MAX_NOTES) list.push(note.note);
    },
    close: async () => {
      const cancel = clock.after(CLOSE_MS, () => hurry.abort());
      cancelTimer?.();
      await sending;
      await sendAll();
      cancel();
      const opened = await sender?.catch(() => null);
      opened?.transport.close();
    },
  };
}

function spansOf(record: RequestRecord | undefined): number {
  return record === undefined ? 0 : 1 + record.attempts.length;
}

/** `record` without the bodies that no span shows. Attempts are shared: the losing leg of a hedge may still end. */
function lighten(record: RequestRecord, content: boolean): RequestRecord {
  const { requestBytes, answer } = record;
  if (requestBytes === null && answer === null) return record;
  if (!content) return { ...record, requestBytes: null, answer: null };
  const isRead = (requestBytes?.byteLength ?? 0) <= MAX_BODY_BYTES;
  return isRead ? record : { ...record, requestBytes: null };
}

/** Of its bodies; a text may take two for each unit. */
function bytesOf({ requestBytes, answer }: RequestRecord): number {
  return (requestBytes?.byteLength ?? 0) + 2 * (answer?.length ?? 0);
}

function countSpans(batch: readonly Finished[]): number {
  return batch.reduce((sum, { record }) => sum + spansOf(record), 0);
}

async function openSender(options: TracesOptions): Promise<Sender> {
  const { protocol, url } = parseOtlpEndpoint(options.endpoint, options.protocol);
  const [{ createEncodeSpans }, transport] = await Promise.all([
    import("./otlp-encode.ts"),
    protocol === "grpc"
      ? import("./otlp-grpc.ts").then(({ createGrpcTransport }) => createGrpcTransport(url, options.headers))
      : import("./otlp-http.ts").then(({ createHttpTransport }) => createHttpTransport(url, options.headers)),
  ]);
  const { version, context, redact } = options;
  const resource = readAttributes(RESOURCE_ATTRIBUTES, options, context);
  return { transport, encode: createEncodeSpans({ resource, scope: { name: "arouter", version }, context, redact }) };
}

/** Sends until it is taken, refused, or its time is up; `hurry` ends that time. */
async function trySend(
  { clock }: TracesOptions,
  opening: Promise<Sender>,
  batch: readonly Finished[],
  hurry: AbortSignal,
): Promise<OtlpResult> {
  const limit = new AbortController();
  const abort = (): void => limit.abort();
  const cancel = clock.after(SEND_MS, abort);
  if (hurry.aborted) abort();
  hurry.addEventListener("abort", abort, { once: true });
  try {
    const { encode, transport } = await opening;
    const body = encode(batch);
    for (let backoffMs = FIRST_BACKOFF_MS; ; backoffMs = Math.min(MAX_BACKOFF_MS, backoffMs * 2)) {
      const result = await transport.send(body, limit.signal);
      if (result.kind !== "again" || limit.signal.aborted) return result;
      await pause(clock, backoffMs * (0.5 + clock.random()), limit.signal);
      if (limit.signal.aborted) return result;
    }
  } catch (error) {
    return { kind: "refused", reason: error instanceof Error ? error.message : String(error) };
  } finally {
    cancel();
    hurry.removeEventListener("abort", abort);
  }
}

/** Resolves after `delayMs`, or as soon as `signal` aborts. */
function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.after(delayMs, done);
    signal.addEventListener("abort", done, { once: true });
  });
}

/** What an event adds to its request's server span; null: nothing. */
function readNote(
  event: GatewayEvent,
  clock: Clock,
): { readonly record: RequestRecord; readonly note: SpanNote } | null {
  const note = (record: RequestRecord, name: SpanNoteName, attributes: Attributes) => ({
    record,
    note: { name, wallMs: clock.wallMs(), attributes },
  });
  switch (event.type) {
    case "retry-scheduled":
      return note(event.record, "arouter.retry", {
        "arouter.provider": event.provider,
        "error.type": event.class,
        "arouter.wait_ms": Math.round(event.waitMs),
      });
    case "hedge-launched":
      return note(event.record, "arouter.hedge.launched", {
        "arouter.provider": event.provider,
        "arouter.after_ms": Math.round(event.afterMs),
      });
    case "hedge-finished":
      return note(event.record, "arouter.hedge.finished", {
        "arouter.provider": event.provider,
        "arouter.hedge": event.result,
      });
    case "candidate-rejected":
      return note(event.record, "arouter.candidate.rejected", {
        "gen_ai.request.model": event.model,
        "error.type": event.class,
      });
    default:
      return null;
  }
}
