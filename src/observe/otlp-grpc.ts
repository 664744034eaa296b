/** OTLP over gRPC: one unary call, so that no gRPC library is needed (the usual one cannot be compiled into the binary). */
import { type ClientHttp2Session, connect } from "node:http2";
import { MAX_ANSWER_BYTES, readAnswer } from "./otlp-answer.ts";
import { connectionFailure, type OtlpResult, type OtlpTransport } from "./otlp-transport.ts";

/** Statuses after which the same batch may be sent again. @see https://opentelemetry.io/docs/specs/otlp/#failures (read 2026-11-24) */
const RETRYABLE = new Set([1, 4, 8, 10, 11, 14, 15]);
const CANCEL = 8;
const TOO_LONG: OtlpResult = { kind: "again", reason: "the collector took too long" };

/** The message behind its five bytes: uncompressed, and its length. @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md (read 2026-11-24) */
function frame(message: Uint8Array): Uint8Array {
  const framed = new Uint8Array(5 + message.byteLength);
  new DataView(framed.buffer).setUint32(1, message.byteLength);
  framed.set(message, 5);
  return framed;
}

export function createGrpcTransport(url: URL, headers: Readonly<Record<string, string>>): OtlpTransport {
  let session: ClientHttp2Session | null = null;

  const open = (): ClientHttp2Session => {
    if (session !== null && !session.closed && !session.destroyed) return session;
    // Said, or NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would turn verification off.
    const opened = connect(url.origin, { rejectUnauthorized: true });
    // The call tells of a failure; without a listener it would end the process.
    opened.on("error", () => opened.destroy());
    opened.on("close", () => {
      if (session === opened) session = null;
    });
    session = opened;
    return opened;
  };

  const send = (body: Uint8Array, signal: AbortSignal): Promise<OtlpResult> =>
    new Promise((resolve) => {
      const opened = open();
      const call = opened.request({
        ...headers,
        ":method": "POST",
        ":path": url.pathname,
        "content-type": "application/grpc",
        te: "trailers",
      });
      let status: number | null = null;
      let answer = Buffer.alloc(0);
      const finish = (result: OtlpResult): void => {
        signal.removeEventListener("abort", giveUp);
        opened.off("error", fail);
        resolve(result);
      };
      const fail = (error: unknown): void => finish(connectionFailure(error));
      const giveUp = (): void => {
        finish(TOO_LONG);
        call.close(CANCEL);
        // The next call on a connection that leads nowhere any more would take as long.
        opened.destroy();
      };
      const note = (fields: Record<string, unknown>): void => {
        const text = fields["grpc-status"];
        if (typeof text === "string" && text !== "") status = Number(text);
        else if (typeof text === "number") status = text;
      };
      signal.addEventListener("abort", giveUp, { once: true });
      opened.once("error", fail);
      call.on("response", note);
      call.on("trailers", note);
      call.on("error", fail);
      call.on("close", () => {
        // Behind its five bytes, like what was sent; not compressed, since nothing was said of being able to read that.
        if (status === 0) finish(readAnswer(answer.subarray(5)));
        else if (status === null) finish({ kind: "again", reason: "the connection was closed" });
        else
          finish({
            kind: RETRYABLE.has(status) ? "again" : "refused",
            reason: `the collector answered gRPC status ${status}`,
          });
      });
      call.on("data", (chunk: Buffer) => {
        if (answer.byteLength < MAX_ANSWER_BYTES) answer = Buffer.concat([answer, chunk]);
      });
      call.end(frame(body));
    });

  return {
    close: () => session?.destroy(),
    send: (body, signal) => {
      if (signal.aborted) return Promise.resolve(TOO_LONG);
      try {
        return send(body, signal);
      } catch (error) {
        return Promise.resolve(connectionFailure(error));
      }
    },
  };
}
