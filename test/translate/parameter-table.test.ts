import { expect, test } from "bun:test";
import type { JsonObject } from "../../src/base/json.ts";
import { builtInCatalog } from "../../src/catalog/catalog.ts";
import { createTable, type Step } from "../../src/translate/parameter-table.ts";
import { createReport } from "../../src/translate/report.ts";
import { TRANSLATORS } from "../../src/translate/table.ts";
import type { TranslationOptions } from "../../src/translate/translator.ts";
import { formatByName } from "../../src/wire/formats.ts";

function createDraft() {
  return { report: createReport(), ran: [] as string[] };
}
type Draft = ReturnType<typeof createDraft>;

function step(name: string, reads: readonly string[], always = false): Step<Draft> {
  return { reads, always, apply: (draft) => void draft.ran.push(name) };
}

const run = createTable<Draft>([
  step("first", ["a", "b"]),
  step("always", ["c"], true),
  step("shared", ["a"]),
  step("__proto__", ["__proto__"]),
]);

test.each<[string, readonly string[]]>([
  ["{}", ["always"]],
  ['{"b":1,"a":2}', ["first", "always", "shared"]],
  ['{"b":null}', ["first", "always"]],
  ['{"c":1,"b":1}', ["first", "always"]],
  ['{"__proto__":1}', ["always", "__proto__"]],
  ['{"constructor":1}', ["always"]],
])("steps run for the fields of %s, each once and in their order", (text, ran) => {
  const draft = createDraft();
  run(JSON.parse(text) as JsonObject, draft);
  expect(draft.ran).toEqual([...ran]);
});

test("a run knows nothing of the one before it, nor of one that was broken off", () => {
  let isBroken = true;
  const broken = createTable<Draft>([
    {
      reads: ["a"],
      apply: () => {
        if (isBroken) throw new Error("refused");
      },
    },
    step("b", ["b"]),
  ]);
  expect(() => broken({ a: 1, b: 1 }, createDraft())).toThrow("refused");
  isBroken = false;
  const draft = createDraft();
  broken({ a: 1 }, draft);
  expect(draft.ran).toEqual([]);
});

test("fields that no step reads are dropped in the order of the request, unless they are null", () => {
  const draft = createDraft();
  run({ z: 1, a: 1, y: false, x: null }, draft);
  expect(draft.report.dropped()).toEqual(["z", "y"]);
});

const OPTIONS: TranslationOptions = {
  defaultMaxTokens: 100,
  autoCache: true,
  longCache: true,
  allowFast: true,
  webSearch: true,
  serverTools: "drop",
  reasoningHeadroom: 10,
  reasoningSummary: true,
};
const REQUESTS = {
  chat: { model: "m", messages: [{ role: "user", content: "hi" }] },
  messages: { model: "m", max_tokens: 64, messages: [{ role: "user", content: "hi" }] },
  responses: { model: "m", input: "hi" },
};

// With a null every step of the table runs: what it does then it has to do without the field too.
test.each(TRANSLATORS.map((pair) => [`${pair.client} to ${pair.upstream}`, pair] as const))(
  "from %s a step that is passed over had nothing to do",
  (_name, { client, upstream, rows, request }) => {
    const format = formatByName(client);
    const asked = REQUESTS[client];
    const names = rows.flatMap(({ field }) => field.split(", ")).filter((name) => /^[a-z_]+$/.test(name));
    const nulls = Object.fromEntries(names.map((name) => [name, null]));
    expect(names.length).toBeGreaterThan(15);
    for (const modelId of upstream === "messages"
      ? ["claude-opus-5-5", "claude-3-5-haiku-20241022"]
      : ["gpt-4.1", "o3"]) {
      const [plain, nulled] = [asked, { ...nulls, ...asked }].map((json) => {
        const parsed = format.parseRequest(Buffer.from(JSON.stringify(json)), { jsonDepth: 64, jsonNodes: 10_000 });
        const model = builtInCatalog.find(modelId);
        const { body, upstreamStream, betas, dropped, adapted, checks } = request(parsed, {
          model,
          modelId,
          options: OPTIONS,
          thinkingStore: null,
        });
        return { body, upstreamStream, betas, dropped, adapted, checks };
      });
      expect(nulled).toEqual(plain);
    }
  },
);
