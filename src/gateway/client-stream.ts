/**
 * An upstream's stream as the client is to see it: its own bytes where the formats are the same, translated frames where
 * they differ. Pulled: nothing is read ahead of the client.
 */
import type { GatewayError } from "../base/errors.ts";
import type { JsonObject } from "../base/json.ts";
import { addUsage, estimatedUsage, type Usage, usageSoFar } from "../base/usage.ts";
import type { Classification } from "../resilience/dispatch.ts";
import type { StreamTranslator } from "../translate/translator.ts";
import { classified } from "../upstream/classify.ts";
import type { StreamRead, UpstreamEvent, UpstreamStream } from "../upstream/stream.ts";
import type { InBandError, RenderableError, StreamTally, WireFormat } from "../wire/format.ts";
import { spliceModelInEvent } from "../wire/splice.ts";
import { bytesInOnePiece } from "../wire/sse/decode.ts";

/** An event as it is written to the client, with the JSON in it (null: comments and `[DONE]`). */
export interface ClientFrame {
  /** As bytes, or as text that is still to become some. */
  readonly bytes: Uint8Array | string;
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
  /** `joined`: all of them, where they lie in one piece. */
  | { readonly kind: "frames"; readonly frames: readonly ClientFrame[]; readonly joined: Uint8Array | null }
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
  /** What comes next, without a promise where it is there. One read at a time. */
  read(): Promise<ClientRead> | ClientRead;
  /** Usage so far, continuations included; null when there was no answer. */
  spent(): Spent | null;
  cancel(classification: Classification): void;
}

/** Usage of a stream whose upstream told none: `tokensInput` is the request's estimate. */
function estimateOf(tally: StreamTally, tokensInput: number): Usage {
  return estimatedUsage(tokensInput, tally.outputEstimate);
}

function spentOf(tally: StreamTally, tokensInput: number): Spent {
  const { usage, serviceTier } = tally.facts();
  return { usage: usageSoFar(usage, tally.complete, estimateOf(tally, tokensInput)), serviceTier };
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

/** What the two kinds of stream are told beside their upstream. */
export interface ClientStreamOptions {
  readonly surface: WireFormat;
  /** Estimate for the request, for an upstream that tells no usage. */
  readonly tokensInput: number;
  readonly showError: (error: InBandError) => RenderableError;
  /** Takes secrets of ours out of an error. */
  readonly redact: (text: string) => string;
}

export interface PassThroughOptions extends ClientStreamOptions {
  /** Name to show as `model`; null: the upstream's. */
  readonly modelShown: string | null;
  /** Keep the usage chunk (`choices: []`) from the client. */
  readonly withholdUsage: boolean;
}

/** The upstream's own bytes. */
class PassThrough implements ClientStream {
  readonly #upstream: UpstreamStream;
  readonly #options: PassThroughOptions;
  #last: ClientRead | null = null;

  constructor(upstream: UpstreamStream, options: PassThroughOptions) {
    this.#upstream = upstream;
    this.#options = options;
  }

  read(): Promise<ClientRead> | ClientRead {
    if (this.#last !== null) return this.#last;
    const batch = this.#upstream.read();
    return batch instanceof Promise ? batch.then(this.#onBatch) : this.#onBatch(batch);
  }

  spent(): Spent {
    return spentOf(this.#upstream.tally, this.#options.tokensInput);
  }

  cancel(classification: Classification): void {
    this.#upstream.cancel(classification);
  }

  readonly #onBatch = (batch: StreamRead): ClientRead | Promise<ClientRead> => {
    if (batch.kind === "end") return this.#finish();
    if (batch.kind === "failure") return (this.#last = batch);
    const delivered = this.#deliver(batch.events);
    // Nothing is left of a batch whose only event was withheld.
    return delivered.kind === "frames" && delivered.frames.length === 0 ? this.read() : delivered;
  };

  #deliver(events: readonly UpstreamEvent[]): ClientRead {
    const { surface, withholdUsage, modelShown, redact, showError } = this.#options;
    const { tally } = this.#upstream;
    const { before, errorEvent } = splitAtError(events, tally, surface);
    const shown = withholdUsage ? before.filter(({ json }) => json === null || !isUsageChunk(json)) : before;
    if (errorEvent !== null && tally.error !== null) {
      this.#upstream.cancel(classified("stalled"));
      const error = withoutSecrets(tally.error, redact);
      // Its own event where nothing had to be taken out of it, else one that is made of what is left.
      const raw = error === tally.error ? this.#toFrame(errorEvent) : null;
      this.#last = { kind: "error", error, raw, shown: showError(error) };
      if (shown.length === 0) return this.#last;
    }
    if (modelShown !== null) return framesOf(shown.map((event) => this.#toFrame(event)));
    const joined = shown.length === events.length ? bytesInOnePiece(shown) : null;
    return { kind: "frames", frames: shown, joined };
  }

  #toFrame(event: UpstreamEvent): ClientFrame {
    const { modelShown } = this.#options;
    const { bytes, json } = event;
    if (modelShown === null || json === null) return event;
    return { bytes: spliceModelInEvent(bytes, modelShown), json, event: event.event };
  }

  #finish(): ClientRead {
    this.#last = END;
    const { streamEnd } = this.#options.surface;
    // A whole stream that lacks its closing mark is given it: some readers wait for nothing else.
    if (this.#upstream.tally.done || streamEnd === "") return END;
    return framesOf([{ bytes: streamEnd, json: null, event: "" }]);
  }
}

export function passStream(upstream: UpstreamStream, options: PassThroughOptions): ClientStream {
  return new PassThrough(upstream, options);
}

/** Frames that lie anywhere. */
export function framesOf(frames: readonly ClientFrame[]): ClientRead {
  return { kind: "frames", frames, joined: null };
}

function withoutSecrets(error: InBandError, redact: (text: string) => string): InBandError {
  const message = redact(error.message);
  return message === error.message ? error : { ...error, message };
}

function isUsageChunk(json: JsonObject): boolean {
  const { choices, usage } = json;
  return Array.isArray(choices) && choices.length === 0 && usage !== null && usage !== undefined;
}

export interface TranslateStreamOptions extends ClientStreamOptions {
  readonly translator: StreamTranslator;
  /** Sends the continuation of a paused answer; the stream that goes on, or why there is none. */
  readonly resume: (body: string) => Promise<UpstreamStream | ClientStreamFailure>;
}

/** Most continuations of one paused answer. */
export const MAX_CONTINUATIONS = 8;

/** The upstream's stream through a translator. */
class Translated implements ClientStream {
  readonly #options: TranslateStreamOptions;
  #upstream: UpstreamStream;
  #last: ClientRead | null = null;
  #paused: Usage | null = null;
  #continuations = 0;

  constructor(upstream: UpstreamStream, options: TranslateStreamOptions) {
    this.#upstream = upstream;
    this.#options = options;
  }

  read(): Promise<ClientRead> | ClientRead {
    if (this.#last !== null) return this.#last;
    const batch = this.#upstream.read();
    return batch instanceof Promise ? batch.then(this.#onBatch) : this.#onBatch(batch);
  }

  spent(): Spent {
    const { usage, serviceTier } = spentOf(this.#upstream.tally, this.#options.tokensInput);
    return { usage: this.#paused === null ? usage : addUsage(this.#paused, usage), serviceTier };
  }

  cancel(classification: Classification): void {
    this.#upstream.cancel(classification);
  }

  readonly #onBatch = (batch: StreamRead): ClientRead | Promise<ClientRead> => {
    if (batch.kind === "end") return this.#finish();
    if (batch.kind === "events") return this.#tell(this.#deliver(batch.events));
    return (this.#last = batch);
  };

  #tell(frames: readonly ClientFrame[]): ClientRead | Promise<ClientRead> {
    return frames.length > 0 ? framesOf(frames) : this.read();
  }

  #deliver(events: readonly UpstreamEvent[]): readonly ClientFrame[] {
    const { surface, translator, redact, showError } = this.#options;
    const { tally } = this.#upstream;
    const { before, errorEvent } = splitAtError(events, tally, surface);
    const frames: ClientFrame[] = [];
    for (const { json, event } of before) {
      if (json === null) continue;
      for (const frame of translator.push(json, event)) frames.push(toClientFrame(frame));
      if (!translator.done) continue;
      // The translator has ended the answer (a stop sequence matched): the rest is neither waited nor paid for.
      this.#upstream.cancel(classified("ok"));
      frames.push(...this.#close());
      return frames;
    }
    if (errorEvent !== null && tally.error !== null) {
      this.#upstream.cancel(classified("stalled"));
      const error = withoutSecrets(tally.error, redact);
      this.#last = { kind: "error", error, raw: null, shown: showError(error) };
    }
    return frames;
  }

  #close(): readonly ClientFrame[] {
    this.#last = END;
    const { translator, tokensInput } = this.#options;
    const { tally } = this.#upstream;
    // Where the translator ended the answer itself, what the upstream told so far is not the whole of it.
    const isUntold = translator.done || tally.facts().usage === null;
    if (isUntold) translator.setFallbackUsage(estimateOf(tally, tokensInput));
    return translator.end().map(toClientFrame);
  }

  #finish(): ClientRead | Promise<ClientRead> {
    const body = this.#continuations < MAX_CONTINUATIONS ? this.#options.translator.continuation() : null;
    return body === null ? this.#tell(this.#close()) : this.#continue(body);
  }

  async #continue(body: string): Promise<ClientRead> {
    this.#continuations += 1;
    this.#paused = this.spent().usage;
    const next = await this.#options.resume(body);
    if ("kind" in next) this.#last = next;
    else this.#upstream = next;
    return this.read();
  }
}

export function translateStream(upstream: UpstreamStream, options: TranslateStreamOptions): ClientStream {
  return new Translated(upstream, options);
}

function toClientFrame({ text, json }: { readonly text: string; readonly json: JsonObject | null }): ClientFrame {
  return { bytes: text, json, event: "" };
}
