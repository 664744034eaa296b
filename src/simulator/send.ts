/** From a {@link Reply} to a Response, with its pauses, odd cuts and broken endings. */
import { sleep, type Clock } from "../base/clock.ts";
import type { Reply } from "./faults.ts";
import type { FrontConnection } from "./front.ts";

/** How fast, and in which pieces, an answer is written. */
export interface Pace {
  /** Milliseconds before the headers. */
  readonly slowMs: number;
  /** Milliseconds between pieces. */
  readonly delayMs: number;
  /** Bytes a write carries, wherever they cut; null: one event a write. */
  readonly bytesPerWrite: number | null;
}

/** Where an answer goes. */
export interface Wire {
  /** Null in process and on a direct port. */
  readonly connection: FrontConnection | null;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** Long enough for what was written to be on the wire before the socket is reset. */
const FLUSH_MS = 20;

/** Sends the reply. Rejects, in process, where the listening simulator would reset before any byte. */
export async function sendReply(reply: Reply, pace: Pace, wire: Wire): Promise<Response> {
  if (pace.slowMs > 0) await sleep(wire.clock, pace.slowMs, wire.signal);
  if (reply.opening !== "normal") return breakOpening(reply.opening, wire);
  const headers = new Headers(reply.headers);
  if (!reply.streamed && reply.ending === "end" && pace.bytesPerWrite === null && pace.delayMs === 0) {
    return new Response(Buffer.concat(reply.pieces.map((piece) => Buffer.from(piece))), {
      status: reply.status,
      headers,
    });
  }
  return new Response(bodyOf(reply, pace, wire), { status: reply.status, headers });
}

async function breakOpening(opening: Exclude<Reply["opening"], "normal">, wire: Wire): Promise<Response> {
  if (opening === "reset") wire.connection?.reset();
  if (opening === "close") wire.connection?.close();
  if (opening === "garbage") wire.connection?.writeRaw("\u0016\u0003\u0001 this is not HTTP\r\n\r\n");
  if (wire.connection === null && opening !== "hang") {
    throw Object.assign(new Error("The simulated connection was closed."), { code: "ECONNRESET" });
  }
  await whenAborted(wire.signal);
  return new Response(null, { status: 499 });
}

function bodyOf(reply: Reply, pace: Pace, wire: Wire): ReadableStream<Uint8Array> {
  const pieces = cut(reply.pieces, pace.bytesPerWrite);
  let at = 0;
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const piece = pieces[at];
        if (piece !== undefined) {
          if (at > 0 && pace.delayMs > 0) await sleep(wire.clock, pace.delayMs, wire.signal);
          controller.enqueue(piece);
          at += 1;
          return;
        }
        if (reply.ending === "end") {
          controller.close();
          return;
        }
        if (reply.ending === "stall") {
          await whenAborted(wire.signal);
          controller.close();
          return;
        }
        await sleep(wire.clock, FLUSH_MS, wire.signal);
        if (wire.connection === null)
          throw Object.assign(new Error("The simulated connection was reset."), { code: "ECONNRESET" });
        if (reply.ending === "reset") wire.connection.reset();
        else wire.connection.close();
        await whenAborted(wire.signal);
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

function cut(pieces: Reply["pieces"], bytesPerWrite: number | null): readonly Uint8Array[] {
  const buffers = pieces.map((piece) => Buffer.from(piece));
  if (bytesPerWrite === null) return buffers;
  const whole = Buffer.concat(buffers);
  const size = Math.max(1, bytesPerWrite);
  return Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
    whole.subarray(index * size, (index + 1) * size),
  );
}

function whenAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
