/**
 * Broken answers, by the name in `[[sim: fault name]]`. `after=n`: n events are written first (3).
 *
 * | name | what the client sees |
 * | --- | --- |
 * | `reset` | connection reset before any byte of the answer |
 * | `close` | connection closed (FIN) before any byte |
 * | `reset-headers` | reset after the headers |
 * | `reset-middle` | reset after some events |
 * | `close-middle` | closed after some events, the body cut |
 * | `hang` | never any byte |
 * | `stall` | some events, then silence for ever |
 * | `stall-headers` | headers, then silence for ever |
 * | `garbage` | bytes that are not HTTP |
 * | `truncated` | a complete HTTP answer whose JSON, or last event, is cut |
 * | `no-terminal` | a stream that ends well without its terminal events |
 * | `bad-event` | an event whose data is not JSON |
 * | `error-event [form]` | an error event inside the stream; in a buffered answer an error object with status 200 |
 * | `html` | 200 with a web page |
 * | `wrong-type` | the right body under `text/plain` |
 * | `empty-body` | 200 with no byte |
 * | `bomb [mb]` | gzip that opens to mb (64) MiB |
 * | `redirect` | 307 to another path |
 * | `huge-event [mb]` | one event of mb (20) MiB |
 *
 * `reset`, `close`, `reset-*`, `close-middle`, `stall-headers` and `garbage` need the socket: they work on the listening ports. In
 * process they reject or break the body instead. A closed port is `simulator.refuse(provider)`.
 */
import type { ProviderName } from "../base/names.ts";
import { numberOf, type Control } from "./controls.ts";
import { errorAnswer, renderRefusal, renderStreamRefusal } from "./errors.ts";

/** Every fault. */
export const FAULT_NAMES = [
  "reset",
  "close",
  "reset-headers",
  "reset-middle",
  "close-middle",
  "hang",
  "stall",
  "stall-headers",
  "garbage",
  "truncated",
  "no-terminal",
  "bad-event",
  "error-event",
  "html",
  "wrong-type",
  "empty-body",
  "bomb",
  "redirect",
  "huge-event",
] as const;
/** Name of a fault. */
export type FaultName = (typeof FAULT_NAMES)[number];

/** An answer before it is sent: pieces in order, and how it ends. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** SSE frames, or the whole body as one piece. */
  readonly pieces: readonly (string | Uint8Array)[];
  readonly streamed: boolean;
  /** `end`: well. The others need the socket, but `stall` and `hang`. */
  readonly ending: "end" | "reset" | "close" | "stall";
  /** Before headers: `none` is the normal case. */
  readonly opening: "normal" | "reset" | "close" | "hang" | "garbage";
}

/** Whether there is a fault of that name. */
export function isFaultName(name: string): name is FaultName {
  return (FAULT_NAMES as readonly string[]).includes(name);
}

/** The reply as the fault leaves it. */
export function breakReply(reply: Reply, provider: ProviderName, control: Control, requestId: string): Reply {
  const name = control.values[0] ?? "reset";
  if (!isFaultName(name)) return reply;
  const after = numberOf(control.options.get("after"), 3);
  const started = reply.streamed ? reply.pieces.slice(0, after) : halved(reply.pieces);
  switch (name) {
    case "reset":
    case "close":
    case "hang":
    case "garbage":
      return { ...reply, opening: name };
    case "reset-headers":
      return { ...reply, pieces: [], ending: "reset" };
    case "stall-headers":
      return { ...reply, pieces: [], ending: "stall" };
    case "reset-middle":
      return { ...reply, pieces: started, ending: "reset" };
    case "close-middle":
      return { ...reply, pieces: started, ending: "close" };
    case "stall":
      return { ...reply, pieces: started, ending: "stall" };
    case "truncated":
      return { ...reply, pieces: reply.streamed ? [...started, 'data: {"cut'] : halved(reply.pieces) };
    case "no-terminal":
      return { ...reply, pieces: reply.streamed ? started : reply.pieces };
    case "bad-event":
      return {
        ...reply,
        pieces: [
          ...started,
          provider === "openai" ? "data: {not json\n\n" : "event: content_block_delta\ndata: {not json\n\n",
        ],
      };
    case "error-event":
      return withErrorEvent(reply, started, provider, control, requestId);
    case "html":
      return {
        ...reply,
        headers: { "content-type": "text/html; charset=utf-8" },
        pieces: ["<html><body><h1>Bad gateway</h1></body></html>"],
      };
    case "wrong-type":
      return { ...reply, headers: { ...reply.headers, "content-type": "text/plain" } };
    case "empty-body":
      return { ...reply, pieces: [] };
    case "bomb":
      return {
        ...reply,
        headers: { ...reply.headers, "content-encoding": "gzip" },
        pieces: [bomb(numberOf(control.values[1], 64))],
      };
    case "redirect":
      return { ...reply, status: 307, headers: { location: "/v1/elsewhere" }, pieces: [] };
    case "huge-event":
      return {
        ...reply,
        pieces: [...started, `data: "${"x".repeat(numberOf(control.values[1], 20) * 1_048_576)}"\n\n`],
      };
    default:
      return name satisfies never;
  }
}

function withErrorEvent(
  reply: Reply,
  started: Reply["pieces"],
  provider: ProviderName,
  control: Control,
  requestId: string,
): Reply {
  const form = { ...control, values: [control.values[1] ?? "overloaded"] };
  const answer = errorAnswer(provider, form, 0);
  if (!reply.streamed) return { ...reply, pieces: [renderRefusal(provider, answer, requestId)] };
  return { ...reply, pieces: [...started, renderStreamRefusal(provider, answer, requestId)] };
}

function halved(pieces: Reply["pieces"]): Reply["pieces"] {
  const whole = Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
  return [whole.subarray(0, Math.floor(whole.length / 2))];
}

function bomb(megabytes: number): Uint8Array {
  return Bun.gzipSync(new Uint8Array(megabytes * 1_048_576).fill(32));
}
