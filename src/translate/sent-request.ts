/** A translated request that is ready, with the reply side that belongs to it. */
import type { JsonObject, MutableJsonObject } from "../base/json.ts";
import type { Report } from "./report.ts";
import { listOf } from "./small-sets.ts";
import type { OwnCheck, ReplyContext, StreamTranslator, Translated, TranslatedReply } from "./translator.ts";

/** A request as a pair rendered it. */
export interface RenderedRequest<Plan> {
  /** What is to be sent, in the order in which it is written; fields that are undefined are left out. */
  readonly body: MutableJsonObject;
  readonly upstreamStream: boolean;
  readonly betas: ReadonlySet<string>;
  readonly report: Report;
  readonly checks: ReadonlySet<OwnCheck>;
  /** How its answer is turned back. */
  readonly plan: Plan;
}

/** How a pair turns answers back; `body` is the request that was sent, empty for a pair that does not read it. */
export interface ReplySide<Plan> {
  /** Whether a paused answer is sent on with the body of its request, which is kept for as long as the answer lasts. */
  readonly readsBody: boolean;
  readonly whole: (
    plan: Plan,
    reply: JsonObject,
    context: ReplyContext,
    earlier: readonly JsonObject[],
    body: JsonObject,
  ) => TranslatedReply;
  readonly stream: (plan: Plan, context: ReplyContext, body: JsonObject) => StreamTranslator;
  readonly amend?: Translated["amend"];
}

const NO_BODY: JsonObject = {};

class SentRequest<Plan> implements Translated {
  readonly body: string;
  readonly upstreamStream: boolean;
  readonly betas: readonly string[];
  readonly dropped: readonly string[];
  readonly adapted: readonly string[];
  readonly checks: readonly OwnCheck[];
  readonly amend: Translated["amend"];
  readonly #json: JsonObject;
  readonly #plan: Plan;
  readonly #replySide: ReplySide<Plan>;

  constructor(rendered: RenderedRequest<Plan>, replySide: ReplySide<Plan>) {
    this.body = JSON.stringify(rendered.body);
    this.upstreamStream = rendered.upstreamStream;
    this.betas = listOf(rendered.betas);
    this.dropped = rendered.report.dropped();
    this.adapted = rendered.report.adapted();
    this.checks = listOf(rendered.checks);
    this.amend = replySide.amend;
    this.#json = replySide.readsBody ? (rendered.body as JsonObject) : NO_BODY;
    this.#plan = rendered.plan;
    this.#replySide = replySide;
  }

  response(reply: JsonObject, context: ReplyContext, earlier: readonly JsonObject[]): TranslatedReply {
    return this.#replySide.whole(this.#plan, reply, context, earlier, this.#json);
  }

  stream(context: ReplyContext): StreamTranslator {
    return this.#replySide.stream(this.#plan, context, this.#json);
  }
}

/** Writes the body out. */
export function createSentRequest<Plan>(rendered: RenderedRequest<Plan>, replySide: ReplySide<Plan>): Translated {
  return new SentRequest(rendered, replySide);
}
