/** An upstream's error answer in the client's format. */
import type { ErrorAnswer, StreamAnswer } from "../upstream/upstream.ts";
import { own } from "../base/json.ts";
import { parseObject } from "../base/stream.ts";
import { statusOfInBandError } from "../upstream/classify.ts";
import type { InBandError, RenderableError } from "../wire/format.ts";
import { answerHeaders } from "./answer-headers.ts";
import { lossesOf, type Sent } from "./encode.ts";
import type { Candidate } from "./candidate.ts";
import type { Exchange } from "./exchange.ts";
import type { GatewaySettings } from "./settings.ts";
import type { Target } from "./target.ts";

/** As it came where the formats are the same; translated, status too, where they differ. */
export function decodeError(exchange: Exchange, answer: ErrorAnswer, { target, encoded }: Sent): Candidate {
  const { attempt, classification, status } = answer;
  const { bytes, json } = withoutSecrets(exchange, answer);
  const told = json === null ? null : target.surface.readError(json);
  const error = told ?? { type: null, code: null, message: `upstream answered with status ${status}` };
  attempt.failure = describeError(error);
  const losses = lossesOf(encoded);
  const base = { kind: "error", target, attempt, classification, losses, error } as const;
  const headers = { ...answerHeaders(exchange, answer, target) };
  const requestId = headers["request-id"] ?? exchange.record.id;
  // An event may tell its error outside of an envelope, which a body needs.
  const isBare = told !== null && own(json, "error") === undefined;
  if (target.translator === null) {
    const shown = showAsIs(error, status);
    if (!answer.inBand || json === null) return { ...base, status, headers, body: bytes, shown };
    headers["content-type"] = "application/json";
    const body = isBare ? exchange.format.renderError(shown, requestId) : JSON.stringify(json);
    return { ...base, status, headers, body, shown };
  }
  const translated = target.translator.error(
    { status, headers: answer.headers, json: isBare ? { error: { ...error } } : json, text: errorText(bytes) },
    exchange.snapshot.settings.upstreamAuthStatus,
  );
  return {
    ...base,
    status: translated.status,
    headers: { ...headers, ...translated.headers },
    body: exchange.format.renderError(translated.error, requestId),
    shown: translated.error,
  };
}

/** An error of the client's own format, to be rendered again in a stream. */
function showAsIs({ type, code, message }: InBandError, status: number): RenderableError {
  return {
    message,
    status,
    type: type ?? "server_error",
    code,
    param: null,
    ...(type === null ? {} : { anthropicType: type }),
  };
}

/**
 * What a log may hold of an upstream's error: its type, and its message without long quotations, in which providers repeat
 * parts of the request.
 */
export function describeError({ type, code, message }: InBandError): string {
  const words = [type, code].filter((word) => word !== null).join(" ");
  const told = message.replace(/(["'`])(?:(?!\1)[^]){41,}\1/g, "$1…$1").slice(0, MESSAGE_CHARS);
  return words === "" ? told : `${words}: ${told}`;
}

const MESSAGE_CHARS = 200;

/** An in-band error as an HTTP error of its type would be shown to this client. */
export function createShowError(
  { snapshot }: Exchange,
  { headers }: StreamAnswer,
  { translator }: Target,
): (error: InBandError) => RenderableError {
  return translator === null ? showOwn : translatedBy(translator, headers, snapshot.settings.upstreamAuthStatus);
}

function showOwn(error: InBandError): RenderableError {
  return showAsIs(error, statusOfInBandError(error));
}

/** Apart, as it is held for as long as the stream lasts: with what it needs, not with all that its caller knows. */
function translatedBy(
  translator: NonNullable<Target["translator"]>,
  headers: StreamAnswer["headers"],
  authStatus: GatewaySettings["upstreamAuthStatus"],
): (error: InBandError) => RenderableError {
  return ({ type, code, message }) => {
    const status = statusOfInBandError({ type, code, message });
    const json = { type: "error", error: { type, code, message } };
    return translator.error({ status, headers, json, text: "" }, authStatus).error;
  };
}

const ERROR_TEXT_BYTES = 65_536;

function errorText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(0, ERROR_TEXT_BYTES));
}

/** The body as it came, unless it repeats a secret of ours. */
function withoutSecrets({ snapshot }: Exchange, { bytes, json }: ErrorAnswer): Pick<ErrorAnswer, "bytes" | "json"> {
  const text = new TextDecoder().decode(bytes);
  const redacted = snapshot.redact(text);
  if (redacted === text) return { bytes, json };
  // The bytes of an in-band error are those of its event, not of the JSON alone.
  return {
    bytes: Buffer.from(redacted),
    json: json === null ? null : parseObject(snapshot.redact(JSON.stringify(json))),
  };
}
