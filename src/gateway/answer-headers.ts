/** The upstream's headers as the client gets them, and what an answer says of the model. */
import { returnedHeaders, upstreamRequestId } from "../upstream/headers.ts";
import type { BufferedAnswer, ErrorAnswer, StreamAnswer } from "../upstream/upstream.ts";
import type { ReplyContext } from "../translate/translator.ts";
import type { Exchange } from "./exchange.ts";
import type { Target } from "./target.ts";

/** Headers that reach the client: the upstream's by allow-list, both names of the request id, rate limits translated. */
export function answerHeaders(
  exchange: Exchange,
  answer: BufferedAnswer | StreamAnswer | ErrorAnswer,
  target: Target,
): Readonly<Record<string, string>> {
  const headers = returnedHeaders(answer.headers, target.translator === null);
  if (target.translator !== null) {
    headers["content-type"] = "application/json";
    Object.assign(headers, target.translator.headers(answer.headers, exchange.clock.wallMs()));
  }
  const id = upstreamRequestId(answer.headers) ?? exchange.record.id;
  headers["x-request-id"] = id;
  headers["request-id"] = id;
  return headers;
}

/** The name to show as `model`; null: the upstream's. */
export function shownModel(exchange: Exchange): string | null {
  return exchange.snapshot.settings.echoRequestedModel ? exchange.facts.model : null;
}

/** What a translator needs to render an answer. */
export function replyContext(exchange: Exchange): ReplyContext {
  return { createdSeconds: Math.floor(exchange.record.wallMs / 1000), modelShown: shownModel(exchange) };
}
