/** The capability fields of a catalog entry as one table: reading, printing and the documentation follow it. */
import { isArray, own, type Json, type JsonObject } from "../base/json.ts";
import { EFFORTS } from "../base/names.ts";
import type { Mistakes } from "./mistakes.ts";
import type { Capabilities } from "./model.ts";

type FieldType = "flag" | "efforts" | "effort or null" | readonly string[];

interface CapabilityField {
  /** Name in JSON and TOML. */
  readonly name: string;
  readonly type: FieldType;
  readonly doc: string;
}

/** Every capability: its name in files, its type and what it says. */
export const CAPABILITY_FIELDS = {
  reasoning: {
    name: "reasoning",
    type: ["none", "budget", "adaptive", "adaptive+budget", "effort"],
    doc: "How it reasons: not at all, `thinking` with a budget, adaptive `thinking`, both of these, or by effort (OpenAI).",
  },
  thinkingByDefault: {
    name: "thinking_by_default",
    type: "flag",
    doc: "Thinks although the request asks for nothing.",
  },
  canDisableThinking: {
    name: "can_disable_thinking",
    type: "flag",
    doc: "Takes `thinking: disabled` (Claude) or effort `none` (OpenAI).",
  },
  betweenTools: { name: "between_tools", type: "flag", doc: "Takes `thinking: between_tools`." },
  preservedThinking: {
    name: "preserved_thinking",
    type: "flag",
    doc: "Binds earlier thinking to the prefix, so translated requests ask for unreadable blocks to be dropped.",
  },
  efforts: { name: "efforts", type: "efforts", doc: "Efforts it takes, weakest first; empty for none." },
  defaultEffort: { name: "default_effort", type: "effort or null", doc: "Effort when the request names none." },
  sampling: {
    name: "sampling",
    type: ["both", "one", "effort-none", "no"],
    doc: "`temperature` and `top_p`: together, either, only while the effort is `none`, or refused.",
  },
  forcedToolUse: { name: "forced_tool_use", type: "flag", doc: "Takes a tool choice that forces a call." },
  prefill: { name: "prefill", type: "flag", doc: "Continues a last message of the assistant." },
  structuredOutputs: { name: "structured_outputs", type: "flag", doc: "Holds its answer to a JSON Schema." },
  midConversationSystem: {
    name: "mid_conversation_system",
    type: "flag",
    doc: "Takes `role: system` between other messages.",
  },
  tools: { name: "tools", type: "flag", doc: "Takes function tools." },
  parallelToolControl: { name: "parallel_tool_control", type: "flag", doc: "Lets parallel calls be switched off." },
  stop: { name: "stop", type: "flag", doc: "Takes stop sequences." },
  toolsOnChat: {
    name: "tools_on_chat",
    type: ["yes", "effort-none", "no"],
    doc: "Function tools on Chat Completions: taken, only with effort `none`, or refused.",
  },
  outputCapField: {
    name: "output_cap_field",
    type: ["max_completion_tokens", "max_tokens"],
    doc: "Name of the output cap on its chat format.",
  },
  refusesMaxTokens: { name: "refuses_max_tokens", type: "flag", doc: "Answers `max_tokens` on Chat with a 400." },
  vision: { name: "vision", type: "flag", doc: "Sees images." },
  pdf: { name: "pdf", type: "flag", doc: "Reads PDF documents." },
  audioInput: { name: "audio_input", type: "flag", doc: "Hears audio." },
  cacheBreakpoints: { name: "cache_breakpoints", type: "flag", doc: "Takes explicit cache markers." },
  fastMode: { name: "fast_mode", type: "flag", doc: 'Takes `speed: "fast"` (Claude).' },
  webSearch: { name: "web_search", type: "flag", doc: "Can search the web as a server tool." },
  developerRole: { name: "developer_role", type: "flag", doc: "Calls the system role `developer`." },
} as const satisfies Record<keyof Capabilities, CapabilityField>;

const FIELDS = Object.entries(CAPABILITY_FIELDS) as readonly [keyof Capabilities, CapabilityField][];
const NAMES = FIELDS.map(([, field]) => field.name);

/**
 * The capabilities that `json` states, laid over `base`. A wrong value is reported and leaves that of `base`.
 * @param path where `json` stands, for the report
 */
export function readCapabilities(
  json: JsonObject,
  base: Capabilities,
  path: readonly string[],
  mistakes: Mistakes,
): Capabilities {
  const result: Record<string, unknown> = { ...base };
  mistakes.unknownKeys(json, NAMES, path);
  for (const [key, field] of FIELDS) {
    const value = own(json, field.name);
    if (value === undefined) continue;
    const allowed = wrongValue(value, field.type);
    if (allowed === null) result[key] = value;
    else mistakes.add([...path, field.name], `must be ${allowed}`);
  }
  return result as unknown as Capabilities;
}

/** As they are printed and read, every field present. */
export function renderCapabilities(capabilities: Capabilities): JsonObject {
  return Object.fromEntries(FIELDS.map(([key, field]) => [field.name, capabilities[key]]));
}

const isEffort = (value: Json): boolean => EFFORTS.some((effort) => effort === value);

/** null when `value` fits, else what would. */
function wrongValue(value: Json, type: FieldType): string | null {
  if (type === "flag") return typeof value === "boolean" ? null : "true or false";
  if (type === "efforts") return isArray(value) && value.every(isEffort) ? null : `a list of ${EFFORTS.join(", ")}`;
  if (type === "effort or null") return value === null || isEffort(value) ? null : `one of ${EFFORTS.join(", ")}`;
  return type.some((word) => word === value) ? null : `one of ${type.join(", ")}`;
}
