/** The vocabulary of `then`: one entry per key, from which parser, docs and JSON Schema all read. */
import { parseDurationMs } from "../base/duration.ts";
import type { Json } from "../base/json.ts";
import { FALLBACK_REASONS, PROVIDER_NAMES, VALIDATOR_NAMES } from "../base/names.ts";
import type {
  ChainEntry,
  HealSettings,
  HedgeAfter,
  ParamsBlock,
  RetryOverrides,
  TimeoutOverrides,
} from "./decision.ts";
import { dictionary, either, json, list, mapped, record } from "./containers.ts";
import { boolean, duration, integer, number, scalar, text, word } from "./readers.ts";
import type { ReadFields } from "./containers.ts";
import type { Reader } from "./readers.ts";
import type { Source, Written } from "./source.ts";
import { MAX_CANDIDATES, MODEL_NAME, TAG_NAME } from "./then.ts";
import type { Block4xx, ModelChoice, Then } from "./then.ts";
import { isMap, isScalar, isSeq } from "./yaml-nodes.ts";

export const modelName: Reader<string> = text(
  "a model name (letters, digits, . _ : / -; no wildcards)",
  128,
  MODEL_NAME,
);

const byProvider = mapped(
  dictionary(
    { expects: PROVIDER_NAMES.join(" or "), pattern: new RegExp(`^(${PROVIDER_NAMES.join("|")})$`) },
    modelName,
  ),
  (models): ModelChoice => ({ kind: "by-provider", models: Object.fromEntries(models) }),
);
const weight: Reader<number> = scalar("a number above 0", { type: "number", exclusiveMinimum: 0 }, (value) =>
  typeof value === "number" && value > 0 && Number.isFinite(value) ? value : undefined,
);
const weighted = mapped(
  list(
    record(
      {
        model: { reader: modelName, doc: "a model" },
        weight: { reader: weight, doc: "its share, relative to the others" },
      },
      { required: ["model", "weight"] },
    ),
    1,
    16,
  ),
  (choices): ModelChoice => ({
    kind: "weighted",
    choices: choices.map(({ model = "", weight: share = 0 }) => ({ model, weight: share })),
  }),
);
const modelChoice: Reader<ModelChoice> = either(
  isSeq,
  weighted,
  either(
    isMap,
    byProvider,
    mapped(modelName, (model): ModelChoice => ({ kind: "one", model })),
  ),
);

const timeoutFields = record({
  total: { reader: duration, doc: "from arrival to the first byte of a stream, or the end of a whole answer" },
  ttft: { reader: duration, doc: "streamed attempt: from sending to the first content" },
  response: { reader: duration, doc: "buffered attempt: from sending to the whole answer" },
  idle: { reader: duration, doc: "between two chunks from upstream" },
});
const timeout: Reader<TimeoutOverrides> = mapped(timeoutFields, ({ total, ttft, response, idle }) => ({
  ...(total === undefined ? {} : { totalMs: total }),
  ...(ttft === undefined ? {} : { ttftMs: ttft }),
  ...(response === undefined ? {} : { responseMs: response }),
  ...(idle === undefined ? {} : { idleMs: idle }),
}));

const retry: Reader<RetryOverrides> = mapped(
  record({
    max: { reader: integer(0, 5), doc: "tries after the first, per candidate" },
    base: { reader: duration, doc: "first backoff" },
    cap: { reader: duration, doc: "longest backoff" },
    on_timeout: { reader: boolean, doc: "retry after a timeout" },
  }),
  ({ max, base, cap, on_timeout }) => ({
    ...(max === undefined ? {} : { max }),
    ...(base === undefined ? {} : { baseMs: base }),
    ...(cap === undefined ? {} : { capMs: cap }),
    ...(on_timeout === undefined ? {} : { onTimeout: on_timeout }),
  }),
);

/** Fields that decide where a request goes or what comes back as what: rules choose the model by `model`. */
const UNTOUCHABLE = ["model", "stream", "messages", "input"];
const fieldName = {
  expects: `a top-level field other than ${UNTOUCHABLE.join(", ")}`,
  pattern: new RegExp(`^(?!(?:${UNTOUCHABLE.join("|")})$)[A-Za-z_][A-Za-z0-9_]{0,63}$`),
};
const field = text(fieldName.expects, 64, fieldName.pattern);
const paramsFields = record({
  set: { reader: dictionary(fieldName, json), doc: "fields set to a value" },
  cap: { reader: dictionary(fieldName, number(0)), doc: "numbers lowered to at most this" },
  drop: { reader: list(field), doc: "fields left out" },
});
const params: Reader<ParamsBlock> = {
  ...mapped(paramsFields, toParams),
  read: (source, node, label) => {
    const read = paramsFields.read(source, node, label);
    if (read === undefined) return undefined;
    const block = toParams(read);
    const uses = [...Object.keys(block.set), ...Object.keys(block.cap), ...block.drop];
    const twice = uses.find((name, index) => uses.indexOf(name) !== index);
    if (twice === undefined) return block;
    source.report(node, `${label}: "${twice}" is named twice; set it, cap it or drop it`);
    return undefined;
  },
};

function toParams(read: {
  readonly set?: ReadonlyMap<string, Json>;
  readonly cap?: ReadonlyMap<string, number>;
  readonly drop?: readonly string[];
}): ParamsBlock {
  return {
    set: Object.fromEntries(read.set ?? []),
    cap: Object.fromEntries(read.cap ?? []),
    drop: read.drop ?? [],
  };
}

const heal: Reader<HealSettings> = mapped(
  record({
    hold: { reader: word(["preflush", "full", "off"]), doc: "how much of a stream is held until it is judged" },
    preflush_bytes: { reader: integer(0, 16_777_216), doc: "content bytes held at most with `preflush`" },
    feedback: { reader: word(["none", "errors"]), doc: "`errors`: tell the next model what was wrong" },
  }),
  ({ hold, preflush_bytes, feedback }) => ({
    ...(hold === undefined ? {} : { hold }),
    ...(preflush_bytes === undefined ? {} : { preflushBytes: preflush_bytes }),
    ...(feedback === undefined ? {} : { feedback }),
  }),
);

const hedgeAfter: Reader<HedgeAfter> = scalar(
  "a duration such as 800ms, or p95",
  { type: "string", pattern: String.raw`^(p95|[0-9]+(\.[0-9]+)?(ms|s|m|h))$` },
  (value) => (value === "p95" ? value : typeof value === "string" ? (parseDurationMs(value) ?? undefined) : undefined),
);
const hedgeBlock = mapped(
  record(
    {
      after: { reader: hedgeAfter, doc: "delay before the second leg" },
      model: { reader: modelName, doc: "model of the second leg; the same unless said" },
    },
    { required: ["after"] },
  ),
  ({ after = 0, model }) => (model === undefined ? { after } : { after, model }),
);
const hedge: Reader<{ readonly off: true } | { readonly after: HedgeAfter; readonly model?: string }> = either(
  isScalar,
  mapped(word(["off"]), () => ({ off: true as const })),
  hedgeBlock,
);

const chainEntry: Reader<ChainEntry> = either(
  isMap,
  mapped(
    record(
      {
        model: { reader: modelName, doc: "a model" },
        params: { reader: params, doc: "as `params` below, for this candidate only" },
        timeout: { reader: timeout, doc: "as `timeout` below, for this candidate only" },
      },
      { required: ["model"] },
    ),
    ({ model = "", params: own, timeout: limits }): ChainEntry => ({
      model,
      ...(own === undefined ? {} : { params: own }),
      ...(limits === undefined ? {} : { timeout: limits }),
    }),
  ),
  mapped(modelName, (model): ChainEntry => ({ model })),
);

const tagValue: Reader<string> = scalar(
  "a text of 1 to 64 printable characters",
  { type: ["string", "number", "boolean"] },
  (value) => {
    const words = typeof value === "number" || typeof value === "boolean" ? String(value) : value;
    return typeof words === "string" && /^[^\u0000-\u001f\u007f]{1,64}$/.test(words) ? words : undefined;
  },
);
const tags = mapped(
  dictionary({ expects: "a tag name ([a-z_][a-z0-9_]*, at most 32 characters)", pattern: TAG_NAME }, tagValue, 8),
  (read): Readonly<Record<string, string>> => Object.fromEntries(read),
);

const block: Reader<Block4xx> = mapped(
  record(
    {
      status: { reader: integer(400, 499), doc: "HTTP status, 403 unless said" },
      message: { reader: text("a message of at most 1024 characters", 1024), doc: "what the caller is told" },
    },
    { required: ["message"] },
  ),
  ({ status = 403, message = "" }) => ({ status, message }),
);

/** Every key of `then`: its reader and its line in the docs. */
export const THEN_FIELDS = {
  model: {
    reader: modelChoice,
    doc: "the model to use: one, `{ openai: a, anthropic: b }` by the provider asked for, or a list of `{ model, weight }` to draw from",
  },
  validate: {
    reader: list(word(VALIDATOR_NAMES), 0, VALIDATOR_NAMES.length),
    doc: "what an answer must pass before it is delivered",
  },
  fallback_chain: {
    reader: list(chainEntry, 0, MAX_CANDIDATES - 1),
    doc: "models to try next, in order; each a name or `{ model, params, timeout }`",
  },
  fallback_on: {
    reader: list(word(FALLBACK_REASONS), 0, FALLBACK_REASONS.length),
    doc: "what moves a request along the chain",
  },
  heal: {
    reader: heal,
    doc: "how streams are held while they are judged, and whether the next model is told what was wrong",
  },
  hedge: { reader: hedge, doc: "`off`, or race a second request after a delay" },
  retry: { reader: retry, doc: "retries of the same candidate" },
  timeout: { reader: timeout, doc: "time limits" },
  params: { reader: params, doc: "top-level request fields to set, cap or drop, by the target's name for them" },
  tags: { reader: tags, doc: "constant labels for metrics, log and ledger, at most 8" },
  block: { reader: block, doc: "refuse the request; stands alone" },
} as const;

const thenFields = record(THEN_FIELDS);

/** JSON Schema of a `then` block. */
export const THEN_SCHEMA = thenFields.schema;

/** Reads a `then` block; undefined after reporting what is wrong. */
export function readThen(source: Source, node: Written, label: string): Then | undefined {
  const read = thenFields.read(source, node, label);
  const keys = read === undefined ? writtenKeys(source, node) : Object.keys(read);
  const others = keys.filter((key) => key !== "block");
  if (keys.includes("block") && others.length > 0) {
    source.report(node, `${label}: block stands alone; remove ${others.join(", ")}`);
    return undefined;
  }
  return read === undefined ? undefined : toThen(read);
}

/** The known keys of a block in which something else is wrong. */
function writtenKeys(source: Source, node: Written): readonly string[] {
  const resolved = source.resolve(node);
  if (!isMap(resolved)) return [];
  return source.entries(resolved, "").flatMap(({ key }) => (Object.hasOwn(THEN_FIELDS, key) ? [key] : []));
}

function toThen(read: ReadFields<typeof THEN_FIELDS>): Then {
  const { fallback_chain, fallback_on, hedge: race, ...same } = read;
  return {
    ...same,
    ...(fallback_chain === undefined ? {} : { fallbackChain: fallback_chain }),
    ...(fallback_on === undefined ? {} : { fallbackOn: fallback_on }),
    ...(race === undefined ? {} : { hedge: "off" in race ? null : race }),
  };
}
