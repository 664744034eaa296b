/** Rules that Chat Completions and Responses share: model, effort, schema, metadata, sizes. */
import { isObject, own, type Json, type JsonObject } from "../base/json.ts";
import { checkField, invalidValue, refuse, tooLong, unsupportedValue } from "./openai-checks.ts";
import { findOpenAiModel, type OpenAiModel } from "./openai-models.ts";
import { checkName } from "./openai-tools.ts";
import { countTokens, firstOf, type Judgement, type Refusal } from "./refusal.ts";
import { strictSchemaProblem } from "./strict-schema.ts";

/** The day the simulator lives in, and whether models shut down before it still answer. */
export interface OpenAiJudgeOptions {
  /** `YYYY-MM-DD`. */
  readonly today: string;
  readonly servesShutDown: boolean;
}

/** A stored prompt brings its own model. */
const PROMPT_MODEL = "gpt-4o-mini";

/** The model of a request, or why there is none. Chat answers 404 to an unknown one, Responses 400. */
export function judgeModel(
  json: JsonObject,
  options: OpenAiJudgeOptions,
  endpoint: "chat" | "responses",
): OpenAiModel | Judgement {
  const id =
    own(json, "model") ?? (endpoint === "responses" && isObject(own(json, "prompt")) ? PROMPT_MODEL : undefined);
  const rule = "model exists";
  if (typeof id !== "string" || id === "") return { ...refuse("you must provide a model parameter", null, null), rule };
  const model = findOpenAiModel(id);
  if (model !== null && (options.servesShutDown || model.shutdownOn === null || model.shutdownOn > options.today))
    return model;
  if (endpoint === "responses")
    return { ...refuse(`The requested model '${id}' does not exist.`, "model", "model_not_found"), rule };
  const message =
    model === null
      ? `The model \`${id}\` does not exist or you do not have access to it.`
      : `The model \`${id}\` has been deprecated, learn more here: https://platform.openai.com/docs/deprecations`;
  return { ...refuse(message, null, "model_not_found", 404), rule };
}

/** Refuses top-level fields the endpoint does not know. */
export function unrecognized(json: JsonObject, fields: Readonly<Record<string, unknown>>): Refusal | null {
  const extra = Object.keys(json).find((key) => !Object.hasOwn(fields, key));
  return extra === undefined ? null : refuse(`Unrecognized request argument supplied: ${extra}`, null, null);
}

/** The effort in force: asked for, or the model's default. */
export function effortOf(asked: Json | undefined, model: OpenAiModel): string | null {
  return typeof asked === "string" ? asked : model.defaultEffort;
}

/** The effort asked for, by model. */
export function checkEffort(param: string, effort: Json | undefined, model: OpenAiModel): Refusal | null {
  if (typeof effort !== "string") return null;
  if (!model.reasoning) return refuse(`Unrecognized request argument supplied: ${param}`, null, null);
  return model.efforts.includes(effort)
    ? null
    : unsupportedValue(param, effort, `Supported values are: ${model.efforts.map((name) => `'${name}'`).join(", ")}.`);
}

/** A named schema of `response_format` or `text.format`. */
export function checkSchemaFormat(path: string, named: JsonObject, param: string): Refusal | null {
  const name = checkName(`${path}.name`, own(named, "name"));
  if (name !== null) return name;
  if (own(named, "strict") !== true) return null;
  const problem = strictSchemaProblem(own(named, "schema"));
  return problem === null
    ? null
    : refuse(`Invalid schema for response_format '${String(own(named, "name"))}': ${problem}`, param, null);
}

/** At most 16 pairs of short texts. */
export function checkMetadata(metadata: Json | undefined): Refusal | null {
  if (!isObject(metadata)) return null;
  const entries = Object.entries(metadata);
  if (entries.length > 16)
    return refuse(
      `Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got an object with ${entries.length} properties instead.`,
      "metadata",
      "object_above_max_properties",
    );
  return firstOf(
    entries,
    ([key, value]) =>
      checkField(`metadata.${key}`, value, { type: "string", length: 512 }) ??
      (key.length > 64 ? tooLong(`metadata.${key}`, 64, key.length) : null),
  );
}

/** The output cap, by model. */
export function checkMaxOutput(param: string, value: Json | undefined, model: OpenAiModel): Refusal | null {
  if (typeof value !== "number" || value <= model.maxOutputTokens) return null;
  return invalidValue(
    param,
    `${param} is too large: ${value}. This model supports at most ${model.maxOutputTokens} completion tokens, whereas you provided ${value}.`,
  );
}

/** The prompt's length, by model. */
export function checkContext(text: string, model: OpenAiModel): Refusal | null {
  // Base64 media is not text: it counts for little, whatever its length.
  const tokens = countTokens(text.replace(/[A-Za-z0-9+/=]{2000,}/g, ""));
  if (tokens <= model.inputTokens) return null;
  return refuse(
    `This model's maximum context length is ${model.inputTokens} tokens. However, your messages resulted in ${tokens} tokens. Please reduce the length of the messages.`,
    "messages",
    "context_length_exceeded",
  );
}
