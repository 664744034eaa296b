/** An answer that is read whole. */
import { GatewayError } from "../base/errors.ts";
import { type BoundedBody, parseObject } from "../base/stream.ts";
import { classified, classifyAnswer } from "./classify.ts";
import type { ByteSource } from "./http.ts";
import { inBandAnswer, isOk, type Reading } from "./reading.ts";
import type { UpstreamAnswer } from "./upstream.ts";

/** Most of an error answer's body that is read. */
const ERROR_BYTES = 1024 * 1024;
const NOTHING = new Uint8Array(0);

/** Reads `body`, null for none, and judges it. */
export function readWhole(reading: Reading, body: ByteSource | null): Promise<UpstreamAnswer> | UpstreamAnswer {
  if (body === null) return answerWhole(reading, NOTHING);
  const read = body.readAll(isOk(reading.status) ? reading.options.responseBytes : ERROR_BYTES);
  return read instanceof Promise ? readLater(reading, read) : answerRead(reading, read);
}

async function readLater(reading: Reading, reads: Promise<BoundedBody>): Promise<UpstreamAnswer> {
  const { scope, request } = reading;
  let read: BoundedBody;
  request.waits.begin();
  try {
    read = await reads;
  } catch (cause) {
    return scope.failedBy(request, cause, true);
  } finally {
    request.waits.end();
  }
  return answerRead(reading, read);
}

function answerRead(reading: Reading, read: BoundedBody): UpstreamAnswer {
  if (read.ok) return answerWhole(reading, read.bytes);
  const message = "upstream's answer is larger than limits.response_bytes";
  return reading.scope.failed(reading.request, classified("broken"), new GatewayError("upstream-invalid", message));
}

/** The answer whose whole body is `bytes`. */
function answerWhole(reading: Reading, bytes: Uint8Array): UpstreamAnswer {
  const { options, scope, request, status, headers } = reading;
  const { attempt } = scope;
  const json = parseObject(bytes);
  const error = json === null ? null : request.format.readError(json);
  if (!isOk(status)) {
    const classification = classifyAnswer(status, headers, error, options.clock.wallMs());
    scope.finish(classification, null);
    return { kind: "error", request, classification, attempt, status, headers, bytes, json, inBand: false };
  }
  if (error !== null) return inBandAnswer(reading, error, bytes, json, null);
  if (json === null || !request.format.isReply(json)) {
    const message = "upstream's answer is not JSON of the expected shape";
    return scope.failed(request, classified("broken"), new GatewayError("upstream-invalid", message));
  }
  attempt.ttftMs = scope.elapsedMs();
  scope.finish(classified("ok"), null);
  return { kind: "buffered", request, classification: classified("ok"), attempt, status, headers, bytes, json };
}
