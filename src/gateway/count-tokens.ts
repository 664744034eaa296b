/** `POST /v1/messages/count_tokens`: asked of Anthropic for its models, estimated for all others. Never a 404: agents call it. */
import { own } from "../base/json.ts";
import { anthropicMessages, parseCountTokensRequest } from "../wire/anthropic-messages/index.ts";
import { type FieldEdit, spliceFields } from "../wire/splice.ts";
import { openDelivery } from "./delivery.ts";
import { toGatewayError } from "./error-reply.ts";
import { type Arrival, openRecord } from "./exchange.ts";
import { withoutForeignThinking } from "./foreign-thinking.ts";
import type { GatewayOptions } from "./handle.ts";
import type { PassThrough } from "./passthrough.ts";
import type { Reply } from "./reply.ts";

export type CountTokens = (arrival: Arrival, body: Uint8Array, query: string) => Promise<Reply>;

/** Tool choices that force a call: models that refuse them refuse to count them too. */
const FORCING = new Set(["any", "tool"]);

export function createCountTokens(options: GatewayOptions, passThrough: PassThrough): CountTokens {
  const { clock, emit } = options;
  return async (arrival, body, query) => {
    const snapshot = options.snapshot();
    const refuse = (error: unknown): Reply => {
      const record = openRecord(arrival, "messages", clock, options.sampleNew);
      emit({ type: "exchange-started", record });
      return openDelivery({ clock, emit, arrival, format: anthropicMessages, record, snapshot }).error(
        toGatewayError(error),
      );
    };
    try {
      const parsed = parseCountTokensRequest(body, snapshot.settings.limits);
      const facts = anthropicMessages.facts(parsed);
      const model = snapshot.policy.resolveAlias(facts.model);
      const provider = snapshot.registry.resolve(model);
      if (provider === "anthropic" && snapshot.registry.get(provider) !== null) {
        const edits: FieldEdit[] = model === facts.model ? [] : [{ field: "model", value: model }];
        const { forcedToolUse } = snapshot.catalog.find(model, provider).capabilities;
        const choice = own(own(parsed.json, "tool_choice"), "type");
        if (!forcedToolUse && typeof choice === "string" && FORCING.has(choice)) {
          edits.push({ field: "tool_choice", drop: true });
        }
        const bytes = withoutForeignThinking(parsed);
        return await passThrough(arrival, {
          provider,
          path: `/messages/count_tokens${query}`,
          format: anthropicMessages,
          body: edits.length === 0 ? bytes : spliceFields(bytes, edits),
        });
      }
      const record = openRecord(arrival, "messages", clock, options.sampleNew);
      record.modelRequested = facts.model;
      record.bytesIn = body.byteLength;
      emit({ type: "exchange-started", record });
      const delivery = openDelivery({ clock, emit, arrival, format: anthropicMessages, record, snapshot });
      return delivery.own({ input_tokens: facts.tokensInput }, { "x-arouter-usage": "estimated" });
    } catch (error) {
      return refuse(error);
    }
  };
}
