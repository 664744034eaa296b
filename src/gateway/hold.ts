/** Holds a stream back behind the pre-flush gate until it can be judged, event by event, however it was cut into reads. */
import { type GateSettings, type GateState, HOLDING, stepGate, tickGate } from "../heal/gate.ts";
import type { EarlyCheck } from "../heal/early.ts";
import type { Clock } from "../base/clock.ts";
import { GatewayError } from "../base/errors.ts";
import type { Classification } from "../resilience/dispatch.ts";
import { classified, classifyAnswer, statusOfInBandError } from "../upstream/classify.ts";
import type { ReplyFacts } from "../wire/format.ts";
import type { Candidate, StreamCandidate } from "./candidate.ts";
import type { ClientFrame, ClientRead, ClientStreamError } from "./client-stream.ts";
import { withReading } from "./deliver.ts";
import { describeError } from "./decode-error.ts";
import type { Exchange } from "./exchange.ts";

/** Opens a check of one choice's text, which says as early as it can that no valid answer follows. */
export type OpenEarlyCheck = () => EarlyCheck;

export type Held =
  /** All of it was held. */
  | { readonly kind: "complete"; readonly frames: readonly ClientFrame[]; readonly reply: ReplyFacts }
  /** More than may be held: what was held goes out, and the rest follows from the candidate's stream. */
  | { readonly kind: "overflow"; readonly frames: readonly ClientFrame[]; readonly candidate: StreamCandidate }
  /** What was read so far cannot become a valid answer. */
  | { readonly kind: "doomed"; readonly frames: readonly ClientFrame[]; readonly reason: string }
  /** It broke while held: nothing of it has reached the client. */
  | { readonly kind: "lost"; readonly candidate: Candidate };

export interface HoldOptions {
  readonly gate: GateSettings;
  /** null: only whole answers are judged. */
  readonly openEarly: OpenEarlyCheck | null;
}

function sizeOf(bytes: Uint8Array | string): number {
  return typeof bytes === "string" ? Buffer.byteLength(bytes) : bytes.byteLength;
}

/** Holds the stream of `candidate`. Frames held are delivered later in order and unchanged, comments included. */
export async function holdStream(
  exchange: Exchange,
  candidate: StreamCandidate,
  { gate, openEarly }: HoldOptions,
): Promise<Held> {
  const { clock, format, facts, waits } = exchange;
  // What the client would see is judged: its own format's tally, which also counts event by event.
  let doomed: string | null = null;
  const checks = new Map<number, EarlyCheck>();
  const onText = (choice: number, text: string): void => {
    if (openEarly === null || doomed !== null) return;
    const check = checks.get(choice) ?? openEarly();
    checks.set(choice, check);
    doomed = check.push(text)?.reason ?? null;
  };
  const tally = format.openTally({ collect: true, choices: facts.choices, onText });
  const frames: ClientFrame[] = [];
  let state: GateState = HOLDING;
  let reading: Promise<ClientRead> | ClientRead | null = null;

  const take = (frame: ClientFrame): void => {
    frames.push(frame);
    if (frame.json !== null) tally.read(frame.json, frame.event);
    const event = {
      rawBytes: sizeOf(frame.bytes),
      contentBytes: tally.contentBytes,
      isStarted: tally.started,
      // The terminal is looked at when the stream has ended: usage and `[DONE]` still follow a finish reason.
      isComplete: false,
    };
    state = stepGate(state, event, clock.nowMs(), gate);
  };

  for (;;) {
    reading ??= candidate.stream.read();
    const read: ClientRead | "tick" =
      reading instanceof Promise ? await waits.during(withTick(reading, state, gate, clock)) : reading;
    if (read === "tick") {
      state = tickGate(state, clock.nowMs(), gate);
      if (state.kind !== "overflowed") continue;
      // The read that time overtook is still under way: its frames are the next ones.
      return { kind: "overflow", frames, candidate: { ...candidate, stream: withReading(reading, candidate.stream) } };
    }
    reading = null;
    switch (read.kind) {
      case "frames": {
        // Judged frame by frame, so that it makes no difference how many came at once.
        for (const frame of read.frames) {
          if (state.kind === "holding" && doomed === null) take(frame);
          else frames.push(frame);
        }
        if (state.kind === "overflowed") return { kind: "overflow", frames, candidate };
        if (doomed !== null) return { kind: "doomed", frames, reason: doomed };
        if (state.kind === "too-large") {
          candidate.stream.cancel(classified("broken"));
          const message = "upstream's answer is larger than limits.response_bytes";
          return lost(candidate, classified("broken"), new GatewayError("upstream-invalid", message));
        }
        break;
      }
      case "end":
        return { kind: "complete", frames, reply: tally.facts() };
      case "error":
        return { kind: "lost", candidate: errorCandidate(exchange, candidate, read) };
      case "failure": {
        // Nothing of it has reached the client: a cut is a broken answer, which another candidate can make good.
        const isCut = read.classification.class === "stalled";
        return isCut
          ? lost(candidate, classified("broken"), new GatewayError("upstream-invalid", read.error.message))
          : lost(candidate, read.classification, read.error);
      }
    }
  }
}

function lost(candidate: StreamCandidate, classification: Classification, error: GatewayError): Held {
  const { attempt, target, losses } = candidate;
  attempt.class = classification.class;
  attempt.usage = candidate.stream.spent()?.usage ?? null;
  return { kind: "lost", candidate: { kind: "failed", target, classification, losses, error } };
}

/** An error event before anything was handed on is the HTTP error that its type says. */
function errorCandidate(exchange: Exchange, candidate: StreamCandidate, read: ClientStreamError): Candidate {
  const { attempt, target, losses } = candidate;
  const status = statusOfInBandError(read.error);
  const headers: Record<string, string> = { ...candidate.headers, "content-type": "application/json" };
  const classification = classifyAnswer(status, new Headers(headers), read.error, exchange.clock.wallMs());
  attempt.class = classification.class;
  attempt.failure = describeError(read.error);
  attempt.usage = candidate.stream.spent()?.usage ?? null;
  const requestId = headers["request-id"] ?? exchange.record.id;
  const isPassed = target.translator === null && read.raw !== null && read.raw.json !== null;
  return {
    kind: "error",
    target,
    attempt,
    classification,
    losses,
    status: target.translator === null ? status : read.shown.status,
    headers,
    body: isPassed ? JSON.stringify(read.raw.json) : exchange.format.renderError(read.shown, requestId),
    error: read.error,
    shown: read.shown,
  };
}

/** `reading`, or `tick` when the gate's hold time may have passed before it. */
function withTick(
  reading: Promise<ClientRead>,
  state: GateState,
  gate: GateSettings,
  clock: Clock,
): Promise<ClientRead | "tick"> {
  // Only a preflush hold is bounded in time.
  if (gate.hold !== "preflush" || gate.holdTimeMs <= 0) return reading;
  if (state.kind !== "holding" || state.sinceMs === null) return reading;
  const leftMs = state.sinceMs + gate.holdTimeMs - clock.nowMs();
  return new Promise((resolve, reject) => {
    const cancel = clock.after(leftMs + 1, () => resolve("tick"));
    reading.then(resolve, reject).finally(cancel);
  });
}
