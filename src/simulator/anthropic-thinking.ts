/** What models take of thinking, effort and sampling. */
import { isObject, own, type Json, type JsonObject } from "../base/json.ts";
import { checkExtra, checkShape, listOr, refuse, required } from "./anthropic-checks.ts";
import { hasBeta, NO_SAMPLING_VERSION } from "./anthropic-fields.ts";
import type { MessagesRequest } from "./anthropic-rules.ts";
import { firstOf, type Refusal } from "./refusal.ts";

/** Beta without which `thinking.block_binding` is unknown. */
const BINDING_BETA = "thinking-binding-controls";

/** The form of `thinking`, by model and effort. */
export function checkThinking({ thinking, model, json, betas }: MessagesRequest): Refusal | null {
  if (thinking === undefined) return null;
  const type = own(thinking, "type");
  const known = ["adaptive", "enabled", "disabled", "between_tools"] as const;
  const form = known.find((name) => name === type);
  if (type === undefined) return required("thinking.type");
  if (form === undefined)
    return refuse(
      `thinking: Input tag '${String(type)}' found using 'type' does not match any of the expected tags: ${listOr(known)}`,
    );
  const binding = hasBeta(betas, BINDING_BETA) ? ["block_binding"] : [];
  const keys = {
    adaptive: ["type", "display", ...binding],
    enabled: ["type", "budget_tokens", "display", ...binding],
    disabled: ["type", ...binding],
    between_tools: ["type", "display", ...binding],
  }[form];
  const extra =
    checkExtra(`thinking.${form}`, thinking as JsonObject, keys) ??
    checkShape(`thinking.${form}.display`, own(thinking, "display"), {
      type: "string",
      oneOf: ["summarized", "omitted"],
      nullable: true,
    });
  if (extra !== null) return extra;
  if (!model.thinking.includes(form)) {
    if (form === "enabled" && model.thinking.includes("adaptive"))
      return refuse(
        '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.',
      );
    return refuse(`"thinking.type.${form}" is not supported for this model.`);
  }
  const effort = own(own(json, "output_config"), "effort");
  const quiet = form === "disabled" || form === "between_tools";
  return quiet && (effort === "xhigh" || effort === "max")
    ? refuse(`"thinking.type.${form}" is not supported at effort level '${effort}'.`)
    : null;
}

/** The budget: at least 1,024 and below `max_tokens`. */
export function checkBudget({ thinking, json, betas }: MessagesRequest): Refusal | null {
  if (own(thinking, "type") !== "enabled") return null;
  const budget = own(thinking, "budget_tokens");
  if (budget === undefined) return required("thinking.enabled.budget_tokens");
  const shape = checkShape("thinking.enabled.budget_tokens", budget, { type: "integer", least: 1024 });
  const most = own(json, "max_tokens");
  if (shape !== null || typeof budget !== "number" || typeof most !== "number" || budget < most) return shape;
  // With interleaved thinking the budget spans several answers.
  if (betas?.some((beta) => beta.startsWith("interleaved-thinking")) === true) return null;
  return refuse(
    "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size",
  );
}

/** `output_config` and the efforts of the model. */
export function checkEffort({ json, model, betas }: MessagesRequest): Refusal | null {
  const config = own(json, "output_config");
  if (!isObject(config)) return null;
  const extra = checkExtra("output_config", config, [
    "effort",
    "format",
    ...(hasBeta(betas, "task-budgets") ? ["task_budget"] : []),
  ]);
  const effort = own(config, "effort");
  if (extra !== null || effort === undefined || effort === null) return extra;
  if (model.efforts.length === 0) return refuse("This model does not support the effort parameter.");
  return typeof effort === "string" && model.efforts.includes(effort)
    ? null
    : refuse(
        `This model does not support effort level '${String(effort)}'. Supported levels: ${model.efforts.toSorted().join(", ")}.`,
      );
}

const SAMPLING = ["temperature", "top_p", "top_k"] as const;

/** The values that newest models still take under the old version. */
const DEFAULTS: Readonly<Record<string, readonly Json[]>> = { temperature: [1], top_p: [1], top_k: [null] };

/** Sampling parameters, by model and API version. */
export function checkSampling({ json, model, version }: MessagesRequest): Refusal | null {
  const sent = SAMPLING.filter((name) => own(json, name) !== undefined);
  const first = sent[0];
  if (first !== undefined && version >= NO_SAMPLING_VERSION) return refuse(`${first}: Extra inputs are not permitted`);
  if (model.sampling === "default") {
    return firstOf(sent, (name) =>
      DEFAULTS[name]?.includes(own(json, name) ?? null) === true
        ? null
        : refuse(`\`${name}\` is deprecated for this model.`),
    );
  }
  return model.sampling === "one" && sent.includes("temperature") && sent.includes("top_p")
    ? refuse("`temperature` and `top_p` cannot both be specified for this model. Please use only one.")
    : null;
}

/** Sampling parameters beside budget thinking. */
export function checkSamplingWithThinking({ json, thinking }: MessagesRequest): Refusal | null {
  if (own(thinking, "type") !== "enabled") return null;
  const temperature = own(json, "temperature");
  if (temperature !== undefined && temperature !== 1)
    return refuse(
      "`temperature` may only be set to 1 when thinking is enabled. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#important-considerations-when-using-extended-thinking",
    );
  const topP = own(json, "top_p");
  if (typeof topP === "number" && topP < 0.95)
    return refuse("`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.");
  return typeof own(json, "top_k") === "number" ? refuse("`top_k` must be unset when thinking is enabled.") : null;
}
