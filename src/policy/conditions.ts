/** The vocabulary of `when`: one entry per condition, from which parser, docs, JSON Schema, explain and lint all read. */
import type { Json } from "../base/json.ts";
import { EFFORTS, FORMAT_NAMES, PROVIDER_NAMES } from "../base/names.ts";
import { allOf, anyOf, createBlock, defineCondition, firstFailure } from "./condition.ts";
import type { Block, Condition, ConditionType } from "./condition.ts";
import { not } from "./formula.ts";
import type { Formula } from "./formula.ts";
import {
  anyGlob,
  contains,
  flag,
  globs,
  joinOr,
  nameGlob,
  numbers,
  presence,
  textGlob,
  unlist,
  words,
} from "./kinds.ts";
import { oneOrMany, unknownKey } from "./containers.ts";
import type { Source, Written } from "./source.ts";
import { SPECIAL_CONDITIONS } from "./special-conditions.ts";
import { timeCondition } from "./time-condition.ts";
import { isMap, isSeq } from "./yaml-nodes.ts";

/** Deepest nesting of `any_of`, `all_of` and `not`. */
const MAX_NESTING = 4;

const anyTool: Formula = { kind: "number", dimension: "tools", least: 0, from: 1, to: Number.POSITIVE_INFINITY };
const anyCap: Formula = { kind: "number", dimension: "max_tokens", least: -1, from: 0, to: Number.POSITIVE_INFINITY };

const toolNames = defineCondition<readonly string[]>("tool_names", {
  doc: "any declared tool has such a name",
  type: "glob, or a list of globs",
  reader: oneOrMany(nameGlob),
  cost: 1,
  toJson: unlist,
  test: (patterns) => {
    const matches = anyGlob(patterns);
    return (context) => context.facts.toolNames.some(matches);
  },
  why: (patterns, context) =>
    context.facts.toolNames.length === 0 ? "there are no tools" : `no tool is named ${joinOr(patterns)}`,
  formula: (patterns) => ({
    kind: "all",
    of: [anyTool, { kind: "pattern", dimension: "tool_names", one: false, match: "glob", patterns }],
  }),
});

/** Every condition but the three that hold blocks. */
export const CONDITIONS: Readonly<Record<string, ConditionType>> = {
  ...numbers("tokens_input", "input tokens, estimated", 0, 1, (context) => context.facts.tokensInput),
  ...numbers(
    "max_tokens",
    "the caller's output cap, under any of its names",
    -1,
    0,
    (context) => context.facts.maxTokens,
  ),
  ...flag("max_tokens_set", "the caller sent an output cap", (context) => context.facts.maxTokens !== null, anyCap),
  ...numbers("messages", "messages in the conversation", 0, 0, (context) => context.facts.messages),
  ...presence("tools", "tools are declared", (context) => context.facts.toolNames.length > 0, anyTool),
  ...numbers("tools", "declared tools", 0, 0, (context) => context.facts.toolNames.length),
  tool_names: toolNames,
  ...words(
    "tool_choice",
    "the tool choice sent",
    ["auto", "none", "required", "named"],
    true,
    (context) => context.facts.toolChoice,
  ),
  ...flag("in_tool_loop", "the last message is a tool result", (context) => context.facts.inToolLoop),
  ...presence("image", "an image is part of the input, also inside a tool result", (context) => context.facts.hasImage),
  ...presence("document", "a document is part of the input", (context) => context.facts.hasDocument),
  ...presence("audio", "audio is part of the input", (context) => context.facts.hasAudio),
  ...words(
    "response_format_type",
    "the answer format asked for, under either provider's name",
    ["text", "json_object", "json_schema"],
    false,
    (context) => context.facts.responseFormatType,
  ),
  ...flag("stream", "a stream is asked for", (context) => context.facts.stream),
  ...flag("reasoning", "thinking is on, in either format", (context) => context.facts.reasoning),
  ...words(
    "reasoning_effort",
    "the reasoning effort asked for",
    EFFORTS,
    true,
    (context) => context.facts.reasoningEffort,
  ),
  ...flag("has_cache_control", "cache markers, or a prompt cache key", (context) => context.facts.hasCacheControl),
  ...globs("model", "the model asked for, after aliases", (context) => context.model),
  ...words("provider", "the provider that serves that model", PROVIDER_NAMES, true, (context) => context.provider),
  ...words("format", "the wire format of the request", FORMAT_NAMES, false, (context) => context.format),
  header: SPECIAL_CONDITIONS.header,
  ...globs("key", "the name of the caller's key in `[auth] keys`", (context) => context.input.key),
  metadata: SPECIAL_CONDITIONS.metadata,
  ...globs("user", "`user`, `safety_identifier` or `metadata.user_id`", (context) => context.facts.user, {
    recorded: true,
    reader: textGlob,
  }),
  ...globs("client", "the calling program, told by its `user-agent`", (context) => context.input.client),
  ...contains("system_contains", "the system text contains one of these, letter case ignored"),
  ...contains("prompt_contains", "the last user text contains one of these, letter case ignored"),
  percent: SPECIAL_CONDITIONS.percent,
  time: timeCondition,
  provider_state: SPECIAL_CONDITIONS.provider_state,
};

/** The conditions that hold blocks, with their docs. */
export const GROUPS = {
  any_of: { type: "list of blocks", doc: "at least one of the blocks holds" },
  all_of: { type: "list of blocks", doc: "all of the blocks hold" },
  not: { type: "block", doc: "the block does not hold" },
} as const;

const NAMES = [...Object.keys(CONDITIONS), ...Object.keys(GROUPS)];
/** All of them in one line: the four comparisons of a number stand together. */
const NAME_LIST = NAMES.filter((name) => !/_(lte|gt|gte)$/.test(name))
  .map((name) => name.replace(/_lt$/, "_lt|lte|gt|gte"))
  .join(", ");

/** Reads a `when` block; undefined after reporting what is wrong. `rule` salts draws. */
export function readBlock(source: Source, node: Written, label: string, rule: string): Block | undefined {
  return readNested(source, node, label, rule, 0);
}

function readNested(source: Source, node: Written, label: string, rule: string, depth: number): Block | undefined {
  const resolved = source.resolve(node);
  if (resolved === undefined) return undefined;
  if (!isMap(resolved)) {
    // An empty `when:` is an empty block.
    if (depth === 0 && (resolved === null || ("value" in resolved && resolved.value === null))) return createBlock([]);
    source.report(node, `${label}: expected a mapping of conditions`);
    return undefined;
  }
  const conditions: Condition[] = [];
  let whole = true;
  for (const { key, keyNode, value } of source.entries(resolved, `${label}: `)) {
    const type = Object.hasOwn(CONDITIONS, key) ? CONDITIONS[key] : undefined;
    const condition =
      type !== undefined
        ? type.read(source, value, label, rule)
        : key === "any_of" || key === "all_of" || key === "not"
          ? readGroup(key, source, value, `${label}: ${key}`, rule, depth)
          : undefined;
    if (type === undefined && !Object.hasOwn(GROUPS, key))
      source.report(keyNode, `${label}: ${unknownKey("condition", key, NAMES, NAME_LIST)}`);
    if (condition === undefined) whole = false;
    else conditions.push(condition);
  }
  return whole ? createBlock(conditions) : undefined;
}

function readGroup(
  name: keyof typeof GROUPS,
  source: Source,
  node: Written,
  label: string,
  rule: string,
  depth: number,
): Condition | undefined {
  if (depth >= MAX_NESTING) {
    source.report(node, `${label}: blocks nest at most ${MAX_NESTING} deep`);
    return undefined;
  }
  const resolved = source.resolve(node);
  if (resolved === undefined) return undefined;
  if (name === "not") {
    const block = readNested(source, node, label, rule, depth + 1);
    return block === undefined ? undefined : createGroup(name, [block]);
  }
  if (!isSeq(resolved) || resolved.items.length === 0) {
    source.report(node, `${label}: expected a list of blocks`);
    return undefined;
  }
  const blocks = resolved.items.map((item) => readNested(source, item, label, rule, depth + 1));
  const read = blocks.filter((block) => block !== undefined);
  return read.length === blocks.length ? createGroup(name, read) : undefined;
}

function blockJson(block: Block): Json {
  return Object.fromEntries(block.conditions.map((condition) => [condition.name, condition.value]));
}

/** The formula of a block. */
export function blockFormula(block: Block): Formula {
  return { kind: "all", of: block.conditions.map((condition) => condition.formula) };
}

function createGroup(name: keyof typeof GROUPS, blocks: readonly Block[]): Condition {
  const tests = blocks.map((block) => block.test);
  const formulas = blocks.map(blockFormula);
  const [firstBlock = createBlock([])] = blocks;
  const value = name === "not" ? blockJson(firstBlock) : blocks.map(blockJson);
  const nested = blocks.flatMap((block) => block.conditions);
  const common = {
    name,
    value,
    key: JSON.stringify({ [name]: value }),
    cost: Math.max(0, ...nested.map((condition) => condition.cost)),
    recorded: false,
    replayable: false,
    nested,
  };
  switch (name) {
    case "any_of":
      return {
        ...common,
        test: anyOf(tests),
        why: () => `any_of: none of ${blocks.length} blocks holds`,
        formula: { kind: "any", of: formulas },
      };
    case "all_of":
      return {
        ...common,
        test: allOf(tests),
        why: (context) => {
          const failures = blocks.map((block) => firstFailure(block, context));
          return `all_of: ${failures.find((failure) => failure !== null) ?? "a block does not hold"}`;
        },
        formula: { kind: "all", of: formulas },
      };
    case "not":
      return {
        ...common,
        test: (context) => !firstBlock.test(context),
        why: () => "not: the block holds",
        formula: not({ kind: "all", of: formulas }),
      };
  }
}
