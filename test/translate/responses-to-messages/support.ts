/** Translates Responses requests for tests. */
import { GatewayError } from "../../../src/base/errors.ts";
import type { JsonObject } from "../../../src/base/json.ts";
import { responsesToMessages } from "../../../src/translate/responses-to-messages/index.ts";
import type { ThinkingStore, Translated, TranslationOptions } from "../../../src/translate/translator.ts";
import { testModel } from "../../support/models.ts";
import { defaultOptions, parseFor } from "../../support/pairs.ts";

export interface Setup {
  readonly model?: string;
  readonly options?: Partial<TranslationOptions>;
  readonly thinkingStore?: ThinkingStore;
}

/** Translates a request with `fields` over a minimal one. */
export function translate(fields: object, setup: Setup = {}): Translated {
  const body = JSON.stringify({ model: "m", input: "Hello.", max_output_tokens: 4_000, ...fields });
  const model = testModel(setup.model ?? "claude-sonnet-5-5");
  return responsesToMessages.request(parseFor("responses", Buffer.from(body)), {
    model,
    modelId: model.id,
    options: { ...defaultOptions, ...setup.options },
    thinkingStore: setup.thinkingStore ?? null,
  });
}

/** Body and reports of a request together. */
export function outcome(fields: object, setup: Setup = {}) {
  const { body, dropped, adapted } = translate(fields, setup);
  return { body: JSON.parse(body) as JsonObject, dropped, adapted };
}

/** The field that a request is refused for, and the kind; throws when it is not. */
export function refusal(fields: object, setup: Setup = {}): { readonly param: string | null; readonly kind: string } {
  try {
    translate(fields, setup);
  } catch (error) {
    if (error instanceof GatewayError) return { param: error.param, kind: error.kind };
    throw error;
  }
  throw new Error("the request was not refused");
}

export const WEATHER = {
  type: "function",
  name: "weather",
  parameters: { type: "object", properties: { city: { type: "string" } } },
  strict: false,
};

export const user = (content: unknown): object => ({ role: "user", content });
export const call = (id: string, name = "weather", args = "{}"): object => ({
  type: "function_call",
  call_id: id,
  name,
  arguments: args,
});
export const output = (id: string, value: unknown = "ok"): object => ({
  type: "function_call_output",
  call_id: id,
  output: value,
});
