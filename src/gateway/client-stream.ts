/**
 * An upstream's stream as the client is to see it: its own bytes where the formats are the same, translated frames where
 * they differ. Pulled: nothing is read ahead of the client.
 */
import type { GatewayError } from "../base/errors.ts";
import type { JsonObject } from "../base/json.ts";
import { addUsage, type Usage, usageSoFar } from "../base/usage.ts";
import type { Classification } from "../resilience/dispatch.ts";
import type { StreamTranslator } from "../translate/translator.ts";
import { classified } from "../upstream/classify.ts";
import type { StreamRead, UpstreamEvent, UpstreamStream } from "../upstream/stream.ts";
import type { InBandError, RenderableError, StreamTally, WireFormat } from "../wire/format.ts";
import { spliceModelInEvent } from "../wire/splice.ts";

/** What is written to the client in one piece, with the JSON in it (null: comments and `[DONE]`). */
export interface ClientFrame {
  readonly data: Uint8Array | string;
  readonly json: JsonObject | null;
  /** SSE event name, "" without one. */
  readonly event: string;
}

/** The upstream's own in-band error; `raw` is its event where the client speaks the same format, to be passed on. */
export interface ClientStreamError {
  readonly kind: "error";
  readonly error: InBandError;
  readonly raw: ClientFrame | null;
  /** The error in the client's words. */
  readonly shown: RenderableError;
}

export interface ClientStreamFailure {
  readonly kind: "failure";
  readonly classification: Classification;
  readonly error: GatewayError;
}

export type ClientRead =
  | { readonly kind: "frames"; readonly frames: readonly ClientFrame[] }
  /** The answer is whole; its last frames were given by the read before. */
  | { readonly kind: "end" }
  | ClientStreamError
  | ClientStreamFailure;

/** What an answer has used, as reported or else estimated from what passed. */
export interface Spent {
  readonly usage: Usage;
  readonly serviceTier: string | null;
}

export interface ClientStream {
  readonly read: () => Promise<ClientRead>;
  /** Usage so far, continuations included; null when there was no answer. */
  readonly spent: () => Spent | null;
  readonly cancel: (classification: Classification) => void;
}

/** Estimates the usage of a stream whose upstream told none. */
export type UsageEstimate = (tally: StreamTally) => Usage;

function spentOf(tally: StreamTally, estimate: UsageEstimate): Spent {
  const { usage, serviceTier } = tally.facts();
  return { usage: usageSoFar(usage, tally.complete, estimate(tally)), serviceTier };
}

const END: ClientRead = { kind: "end" };

/** Splits a batch in front of its error event, if it holds one. */
function splitAtError(
  events: readonly UpstreamEvent[],
  tally: StreamTally,
  surface: WireFormat,
): { readonly before: readonly UpstreamEvent[]; readonly errorEvent: UpstreamEvent | null } {
  if (tally.error === null) return { before: events, errorEvent: null };
  const index = events.findIndex(({ json }) => json !== null && surface.readError(json) !== null);
  return index < 0
    ? { before: events, errorEvent: null }
    : { before: events.slice(0, index), errorEvent: events[index] ?? null };
}

/** Reads batches of an upstream, those that it was primed with first. */
function createBatchReader(upstream: UpstreamStream): UpstreamStream["read"] {
  let next = 0;
  return () => {
    const events = upstream.primed[next];
    next += 1;
    return events === undefined ? upstream.read() : Promise.resolve({ kind: "events", events });
  };
}

/** What a batch comes to; null: nothing that the client is told. */
type Taken = ClientRead | null;

/** Reads batches until one of them comes to something. What does at once is handed on without another turn. */
function createRead(
  readBatch: UpstreamStream["read"],
  take: (batch: StreamRead) => Taken | Promise<Taken>,
): () => Promise<ClientRead> {
  const readOn = async (): Promise<ClientRead> => {
    for (;;) {
      const taken = await take(await readBatch());
      if (taken !== null) return taken;
    }
  };
  const orReadOn = (taken: Taken): ClientRead | Promise<ClientRead> => taken ?? readOn();
  const onBatch = (batch: StreamRead): ClientRead | Promise<ClientRead> => {
    const taken = take(batch);
    return taken instanceof Promise ? taken.then(orReadOn) : orReadOn(taken);
  };
  return () => readBatch().then(onBatch);
}

export interface PassThroughOptions {
  readonly surface: WireFormat;
  /** Name to show as `model`; null: the upstream's. */
  readonly modelShown: string | null;
  /** Keep the usage chunk (`choices: []`) from the client. */
  readonly withholdUsage: boolean;
  readonly estimate: UsageEstimate;
  readonly showError: (error: InBandError) => RenderableError;
  /** Takes secrets of ours out of an error. */
  readonly redact: (text: string) => string;
}

/** The upstream's own bytes. */
export function passStream(upstream: UpstreamStream, options: PassThroughOptions): ClientStream {
  const { tally } = upstream;
  const { modelShown, withholdUsage, surface } = options;
  let last: ClientRead | null = null;

  const toFrame = (event: UpstreamEvent): ClientFrame =>
    modelShown === null || event.json === null ? event : { ...event, data: spliceModelInEvent(event.data, modelShown) };

  const deliver = (events: readonly UpstreamEvent[]): ClientRead => {
    const { before, errorEvent } = splitAtError(events, tally, surface);
    const shown = withholdUsage ? before.filter(({ json }) => json === null || !isUsageChunk(json)) : before;
    if (errorEvent !== null && tally.error !== null) {
      upstream.cancel(classified("stalled"));
      const error = withoutSecrets(tally.error, options.redact);
      // Its own event where nothing had to be taken out of it, else one that is made of what is left.
      const raw = error === tally.error ? toFrame(errorEvent) : null;
      last = { kind: "error", error, raw, shown: options.showError(error) };
      if (shown.length === 0) return last;
    }
    return { kind: "frames", frames: modelShown === null ? shown : shown.map(toFrame) };
  };

  const finish = (): ClientRead => {
    last = END;
    // A whole stream that lacks its closing mark is given it: some readers wait for nothing else.
    if (tally.done || surface.streamEnd === "") return END;
    return { kind: "frames", frames: [{ data: surface.streamEnd, json: null, event: "" }] };
  };

  const take = (batch: StreamRead): Taken => {
    if (batch.kind === "end") return finish();
    if (batch.kind === "failure") {
      last = batch;
      return batch;
    }
    const delivered = deliver(batch.events);
    // Nothing is left of a batch whose only event was withheld.
    return delivered.kind === "frames" && delivered.frames.length === 0 ? null : delivered;
  };
  const readNext = createRead(createBatchReader(upstream), take);

  return {
    spent: () => spentOf(tally, options.estimate),
    cancel: upstream.cancel,
    read: () => (last === null ? readNext() : Promise.resolve(last)),
  };
}

function withoutSecrets(error: InBandError, redact: (text: string) => string): InBandError {
  const message = redact(error.message);
  return message === error.message ? error : { ...error, message };
}

function isUsageChunk(json: JsonObject): boolean {
  const { choices, usage } = json;
  return Array.isArray(choices) && choices.length === 0 && usage !== null && usage !== undefined;
}

export interface TranslateStreamOptions {
  readonly surface: WireFormat;
  readonly translator: StreamTranslator;
  readonly estimate: UsageEstimate;
  readonly showError: (error: InBandError) => RenderableError;
  /** Takes secrets of ours out of an error. */
  readonly redact: (text: string) => string;
  /** Sends the continuation of a paused answer; the stream that goes on, or why there is none. */
  readonly resume: (body: string) => Promise<UpstreamStream | ClientStreamFailure>;
}

/** Most continuations of one paused answer. */
export const MAX_CONTINUATIONS = 8;

/** The upstream's stream through a translator. */
export function translateStream(first: UpstreamStream, options: TranslateStreamOptions): ClientStream {
  const { surface, translator } = options;
  let upstream = first;
  let readBatch = createBatchReader(upstream);
  let last: ClientRead | null = null;
  let paused: Usage | null = null;
  let continuations = 0;

  const spent = (): Spent => {
    const { usage, serviceTier } = spentOf(upstream.tally, options.estimate);
    return { usage: paused === null ? usage : addUsage(paused, usage), serviceTier };
  };

  const close = (): readonly ClientFrame[] => {
    last = END;
    // Where the translator ended the answer itself, what the upstream told so far is not the whole of it.
    const isUntold = translator.done || upstream.tally.facts().usage === null;
    if (isUntold) translator.setFallbackUsage(options.estimate(upstream.tally));
    return translator.end().map(toClientFrame);
  };

  const deliver = (events: readonly UpstreamEvent[]): readonly ClientFrame[] => {
    const { before, errorEvent } = splitAtError(events, upstream.tally, surface);
    const frames: ClientFrame[] = [];
    for (const { json, event } of before) {
      if (json === null) continue;
      for (const frame of translator.push(json, event)) frames.push(toClientFrame(frame));
      if (!translator.done) continue;
      // The translator has ended the answer (a stop sequence matched): the rest is neither waited nor paid for.
      upstream.cancel(classified("ok"));
      frames.push(...close());
      return frames;
    }
    if (errorEvent !== null && upstream.tally.error !== null) {
      upstream.cancel(classified("stalled"));
      const error = withoutSecrets(upstream.tally.error, options.redact);
      last = { kind: "error", error, raw: null, shown: options.showError(error) };
    }
    return frames;
  };

  const finish = async (): Promise<readonly ClientFrame[]> => {
    const body = continuations < MAX_CONTINUATIONS ? translator.continuation() : null;
    if (body === null) return close();
    continuations += 1;
    paused = spent().usage;
    const next = await options.resume(body);
    if ("kind" in next) {
      last = next;
      return [];
    }
    upstream = next;
    readBatch = createBatchReader(upstream);
    return [];
  };

  const told = (frames: readonly ClientFrame[]): Taken => (frames.length > 0 ? { kind: "frames", frames } : last);

  const take = (batch: StreamRead): Taken | Promise<Taken> => {
    if (batch.kind === "end") return finish().then(told);
    if (batch.kind === "events") return told(deliver(batch.events));
    last = batch;
    return batch;
  };
  const readNext = createRead(() => readBatch(), take);

  return {
    spent,
    cancel: (classification) => upstream.cancel(classification),
    read: () => (last === null ? readNext() : Promise.resolve(last)),
  };
}

function toClientFrame({ text, json }: { readonly text: string; readonly json: JsonObject | null }): ClientFrame {
  return { data: text, json, event: "" };
}
