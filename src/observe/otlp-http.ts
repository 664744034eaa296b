/** OTLP over HTTP, as protobuf. */
import { Agent as HttpAgent, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { MAX_ANSWER_BYTES, readAnswer } from "./otlp-answer.ts";
import { connectionFailure, type OtlpResult, type OtlpTransport } from "./otlp-transport.ts";

/** Answers after which the same batch may be sent again. @see https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes (read 2026-11-24) */
const RETRYABLE = new Set([429, 502, 503, 504]);

export function createHttpTransport(url: URL, headers: Readonly<Record<string, string>>): OtlpTransport {
  const isTls = url.protocol === "https:";
  const agent = isTls
    ? // Said, or NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would turn verification off.
      new HttpsAgent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: true })
    : new HttpAgent({ keepAlive: true, maxSockets: 1 });
  const request = isTls ? requestHttps : requestHttp;
  return {
    close: () => agent.destroy(),
    send: (body, signal) =>
      new Promise<OtlpResult>((resolve) => {
        const call = request(url, {
          method: "POST",
          agent,
          signal,
          headers: { ...headers, "content-type": "application/x-protobuf", "content-length": body.byteLength },
        });
        call.on("error", (error) => resolve(connectionFailure(error)));
        call.on("response", (response) => {
          // An unread answer would keep its connection from being used again.
          let answer = Buffer.alloc(0);
          response.on("data", (chunk: Buffer) => {
            if (answer.byteLength < MAX_ANSWER_BYTES) answer = Buffer.concat([answer, chunk]);
          });
          response.on("error", (error) => resolve(connectionFailure(error)));
          response.on("end", () => {
            const status = response.statusCode ?? 0;
            if (status >= 200 && status < 300) resolve(readAnswer(answer));
            else
              resolve({
                kind: RETRYABLE.has(status) ? "again" : "refused",
                reason: `the collector answered ${status}`,
              });
          });
        });
        call.end(body);
      }),
  };
}
