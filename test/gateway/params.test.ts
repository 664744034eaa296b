import { describe, expect, test } from "bun:test";
import type { Json, JsonObject } from "../../src/base/json.ts";
import type { FormatName } from "../../src/base/names.ts";
import { isEmptyParams, paramEdits } from "../../src/gateway/params.ts";
import type { ParamsBlock } from "../../src/policy/decision.ts";

const NONE: ParamsBlock = { set: {}, cap: {}, drop: [] };

/** `json` with the edits of `blocks` made. */
function edited(blocks: readonly Partial<ParamsBlock>[], json: JsonObject, surface: FormatName): JsonObject {
  const result: Record<string, Json> = { ...json };
  for (const edit of paramEdits(
    blocks.map((block) => ({ ...NONE, ...block })),
    json,
    surface,
  )) {
    if ("drop" in edit) delete result[edit.field];
    else result[edit.field] = edit.value;
  }
  return result;
}

interface Row {
  readonly what: string;
  readonly surface: FormatName;
  readonly params: Partial<ParamsBlock>;
  readonly before: JsonObject;
  readonly after: JsonObject;
}

const ROWS: readonly Row[] = [
  { what: "sets", surface: "chat", params: { set: { a: 1 } }, before: { a: 0 }, after: { a: 1 } },
  { what: "caps what is higher", surface: "chat", params: { cap: { a: 5 } }, before: { a: 9 }, after: { a: 5 } },
  { what: "leaves what is lower", surface: "chat", params: { cap: { a: 5 } }, before: { a: 3 }, after: { a: 3 } },
  { what: "caps what is not there", surface: "messages", params: { cap: { a: 5 } }, before: {}, after: { a: 5 } },
  {
    what: "caps what it has set",
    surface: "chat",
    params: { set: { a: 9 }, cap: { a: 5 } },
    before: {},
    after: { a: 5 },
  },
  { what: "drops", surface: "chat", params: { drop: ["a", "b"] }, before: { a: 9, c: 1 }, after: { c: 1 } },
  {
    what: "knows the cap's other names on Responses",
    surface: "responses",
    params: { cap: { max_completion_tokens: 100 } },
    before: { max_output_tokens: 500 },
    after: { max_output_tokens: 100 },
  },
  {
    what: "knows Responses' own name",
    surface: "responses",
    params: { cap: { max_output_tokens: 100 } },
    before: { max_output_tokens: 500 },
    after: { max_output_tokens: 100 },
  },
  {
    what: "asks Responses for no less than it takes",
    surface: "responses",
    params: { set: { max_tokens: 1 } },
    before: {},
    after: { max_output_tokens: 16 },
  },
  {
    what: "keeps the summary beside the effort",
    surface: "responses",
    params: { set: { reasoning_effort: "low" } },
    before: { reasoning: { effort: "high", summary: "auto" } },
    after: { reasoning: { effort: "low", summary: "auto" } },
  },
  {
    what: "sets two fields of one object",
    surface: "responses",
    params: {
      set: {
        verbosity: "low",
        response_format: { type: "json_schema", json_schema: { name: "r", schema: {} } },
      },
    },
    before: {},
    after: { text: { verbosity: "low", format: { type: "json_schema", name: "r", schema: {} } } },
  },
  {
    what: "drops a field of an object, and an object that it leaves empty",
    surface: "responses",
    params: { drop: ["reasoning_effort", "verbosity"] },
    before: { reasoning: { effort: "low" }, text: { verbosity: "low", format: { type: "text" } } },
    after: { text: { format: { type: "text" } } },
  },
  {
    what: "leaves out what Responses refuses",
    surface: "responses",
    params: { set: { seed: 1, stop: ["x"], temperature: 0 } },
    before: {},
    after: { temperature: 0 },
  },
  {
    what: "uses Chat's names on Chat",
    surface: "chat",
    params: { set: { reasoning_effort: "low", seed: 1 } },
    before: {},
    after: { reasoning_effort: "low", seed: 1 },
  },
];

describe("params", () => {
  test.each(ROWS.map((row) => [row.what, row] as const))("%s", (_what, { surface, params, before, after }) => {
    expect(edited([params], before, surface)).toEqual(after);
  });

  test("a chain entry's come after the rule's, over what these have set", () => {
    const rule = { set: { a: 9, b: 1 } };
    const entry = { cap: { a: 5 }, drop: ["b"] };
    expect(edited([rule, entry], {}, "chat")).toEqual({ a: 5 });
  });

  test("are empty when they change nothing", () => {
    expect(isEmptyParams(NONE)).toBe(true);
    expect(isEmptyParams({ ...NONE, drop: ["a"] })).toBe(false);
  });
});
