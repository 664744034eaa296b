/** Policy files: what they give, and what is said about every kind of mistake in them. */
import { describe, expect, test } from "bun:test";
import { sha256Hex } from "../../src/base/ids.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import { renderDiagnostic } from "../../src/base/diagnostic.ts";
import { mistakesIn, policyFrom, policyOf } from "./support.ts";

const rule = (line: string): string => `rules:\n  - name: r\n    ${line}\n`;
const then = (block: string): string => rule(`then: ${block}`);
const when = (block: string): string => `${rule(`when: ${block}`)}    then: { model: m }\n`;

/** Text of a file → the start of each mistake's line. */
const mistakes: readonly (readonly [what: string, text: string, starts: readonly string[]])[] = [
  ["an empty file", "", ["p.yaml:1:1: error: the file is empty; a policy without rules is `rules: []`"]],
  ["comments alone", "# nothing\n", ["p.yaml:1:1: error: the file is empty"]],
  ["a list", "- a\n", ["p.yaml:1:1: error: expected a mapping"]],
  [
    "bad YAML",
    "rules: [\n  a: b: c\n",
    ["p.yaml:2:6: error: not valid YAML: block collections are not allowed within flow collections"],
  ],
  ["a tab for indentation", "rules:\n\t- name: x\n", ["p.yaml:2:1: error: not valid YAML: tabs are not allowed"]],
  ["two documents", "rules: []\n---\nrules: []\n", ["p.yaml:2:1: error: a policy file holds one YAML document"]],
  ["an unknown key", "rulez: []\n", ['p.yaml:1:1: error: unknown key "rulez"; did you mean "rules"?']],
  [
    "an unknown key far from all",
    "xyzzyx: []\n",
    ['p.yaml:1:1: error: unknown key "xyzzyx"; allowed: version, aliases, defaults, rules, tests'],
  ],
  ["a key twice", "rules: []\nrules: []\n", ['p.yaml:2:1: error: duplicate key "rules", first at line 1']],
  [
    "another version",
    "version: 2\nrules: []\n",
    ["p.yaml:1:10: error: version: expected 1, the only version, found 2"],
  ],
  ["rules that are no list", "rules: { }\n", ["p.yaml:1:8: error: rules: expected a list"]],
  ["a rule that is no mapping", "rules: [x]\n", ["p.yaml:1:9: error: rule 1: expected a mapping of name, when, then"]],
  ["a rule without a name", "rules:\n  - then: { model: m }\n", ["p.yaml:2:5: error: rule 1: name is missing"]],
  [
    "a name with capitals",
    "rules:\n  - name: Foo\n    then: { model: m }\n",
    ['p.yaml:2:11: error: rule 1: name: expected a name of 1 to 64 characters from a-z 0-9 _ -, found "Foo"'],
  ],
  [
    "a number as a name",
    "rules:\n  - name: 7\n    then: { model: m }\n",
    [
      "p.yaml:2:11: error: rule 1: name: expected a name of 1 to 64 characters from a-z 0-9 _ -, found 7; put it in quotes",
    ],
  ],
  [
    "a name twice",
    "rules:\n  - { name: a, then: { model: m } }\n  - { name: a, then: { model: m } }\n",
    ['p.yaml:3:13: error: the rule name "a" is given twice, first at p.yaml:2'],
  ],
  [
    "a name twice, of rules with other mistakes",
    "rules:\n  - { name: a, then: { modle: m } }\n  - { name: a, when: { strem: true }, then: { model: m } }\n",
    ['p.yaml:3:13: error: the rule name "a" is given twice, first at p.yaml:2'],
  ],
  [
    "a test's name twice",
    "tests:\n  - { name: t, file: a.json, expect: { modle: m } }\n  - { name: t, file: a.json, expect: {} }\n",
    ['p.yaml:3:13: error: the test name "t" is given twice, first at p.yaml:2'],
  ],
  ["a rule without then", "rules:\n  - name: a\n", ["p.yaml:2:5: error: rule a: then is missing"]],
  ["an empty then", then("{}"), ["p.yaml:3:5: error: rule r: then is empty"]],
  ["a then without a value", then(""), ["p.yaml:3:5: error: rule r: then is empty"]],
  [
    "an unknown key of a rule",
    "rules:\n  - { name: a, than: { model: m } }\n",
    [
      "p.yaml:2:5: error: rule a: then is missing",
      'p.yaml:2:16: error: rule a: unknown key "than"; did you mean "then"?',
    ],
  ],
  [
    "an unknown condition",
    when("{ no_imgae: true }"),
    ['p.yaml:3:13: error: rule r: unknown condition "no_imgae"; did you mean "no_image"?'],
  ],
  [
    "a condition far from all",
    when("{ qqqqqq: true }"),
    [
      'p.yaml:3:13: error: rule r: unknown condition "qqqqqq"; allowed: tokens_input_lt|lte|gt|gte, max_tokens_lt|lte|gt|gte, max_tokens_set, messages_lt|lte|gt|gte, has_tools, no_tools, ',
    ],
  ],
  [
    "a nested unknown condition",
    when("{ any_of: [{ strem: true }] }"),
    ['p.yaml:3:24: error: rule r: any_of: unknown condition "strem"; did you mean "stream"?'],
  ],
  [
    "a condition twice",
    when("{ stream: true, stream: false }"),
    ['p.yaml:3:27: error: rule r: duplicate key "stream", first at line 3'],
  ],
  [
    "text for a number",
    when("{ tokens_input_lt: many }"),
    ['p.yaml:3:30: error: rule r: tokens_input_lt: expected an integer of at least 0, found "many"'],
  ],
  [
    "a fraction for a count",
    when("{ messages_gt: 1.5 }"),
    ["p.yaml:3:26: error: rule r: messages_gt: expected an integer of at least 0, found 1.5"],
  ],
  [
    "a negative number",
    when("{ tools_lt: -1 }"),
    ["p.yaml:3:23: error: rule r: tools_lt: expected an integer of at least 0, found -1"],
  ],
  [
    "yes for true",
    when("{ stream: yes }"),
    ['p.yaml:3:21: error: rule r: stream: expected true or false, found "yes"'],
  ],
  [
    "a misspelled word",
    when("{ response_format_type: json_shema }"),
    [
      'p.yaml:3:35: error: rule r: response_format_type: expected one of text, json_object, json_schema, found "json_shema"; did you mean "json_schema"?',
    ],
  ],
  [
    "a glob with a class",
    when('{ model: "gpt-[45]" }'),
    ["p.yaml:3:20: error: rule r: model: expected a name or glob"],
  ],
  ["an empty glob", when('{ key: "" }'), ["p.yaml:3:18: error: rule r: key: expected a name or glob"]],
  ["an empty list", when("{ model: [] }"), ["p.yaml:3:20: error: rule r: model: expected 1 to 256 entries, found 0"]],
  [
    "a credential",
    when("{ header: { Authorization: x } }"),
    ["p.yaml:3:23: error: rule r: header: expected a header name, not a credential"],
  ],
  [
    "a header name with a space",
    when("{ header: { 'a b': x } }"),
    ["p.yaml:3:23: error: rule r: header: expected a header name"],
  ],
  [
    "a share above 100",
    when("{ percent: 120 }"),
    ["p.yaml:3:22: error: rule r: percent: expected a number from 0 to 100, found 120"],
  ],
  [
    "a share without a value",
    when("{ percent: { by: user } }"),
    ['p.yaml:3:22: error: rule r: percent: key "value" is missing'],
  ],
  [
    "a share by a credential",
    when("{ percent: { value: 1, by: 'header:cookie' } }"),
    ["p.yaml:3:38: error: rule r: percent: by: expected request, user or header:NAME"],
  ],
  [
    "an unknown zone",
    when("{ time: { tz: Mars/Base } }"),
    ['p.yaml:3:25: error: rule r: time: tz: expected an IANA time zone such as "Europe/Berlin", found "Mars/Base"'],
  ],
  [
    "an hour that does not exist",
    when("{ time: { from: 24:00 } }"),
    ['p.yaml:3:27: error: rule r: time: from: expected a time of day such as "08:30", found "24:00"'],
  ],
  [
    "an unknown provider",
    when("{ provider_state: { azure: open } }"),
    ['p.yaml:3:31: error: rule r: provider_state: expected openai or anthropic, found "azure"'],
  ],
  [
    "blocks nested too deep",
    when("{ not: { not: { not: { not: { not: {} } } } } }"),
    ["p.yaml:3:46: error: rule r: not: not: not: not: not: blocks nest at most 4 deep"],
  ],
  ["any_of without blocks", when("{ any_of: [] }"), ["p.yaml:3:21: error: rule r: any_of: expected a list of blocks"]],
  ["a when that is a list", when("[stream]"), ["p.yaml:3:11: error: rule r: expected a mapping of conditions"]],
  ["a glob as a target", then('{ model: "gpt-*" }'), ["p.yaml:3:20: error: rule r: model: expected a model name"]],
  [
    "a target per unknown provider",
    then("{ model: { azure: m } }"),
    ["p.yaml:3:22: error: rule r: model: expected openai or anthropic"],
  ],
  [
    "a weight of nothing",
    then("{ model: [{ model: m, weight: 0 }] }"),
    ["p.yaml:3:41: error: rule r: model: weight: expected a number above 0, found 0"],
  ],
  [
    "a weight missing",
    then("{ model: [{ model: m }] }"),
    ['p.yaml:3:21: error: rule r: model: key "weight" is missing'],
  ],
  [
    "a word for a list",
    then("{ validate: json }"),
    [
      'p.yaml:3:23: error: rule r: validate: expected a list, each one of json_schema, json, tool_arguments, non_empty, complete, no_refusal, found "json"; write [json]',
    ],
  ],
  [
    "an unknown validator",
    then("{ validate: [jsonschema] }"),
    [
      'p.yaml:3:24: error: rule r: validate: expected one of json_schema, json, tool_arguments, non_empty, complete, no_refusal, found "jsonschema"; did you mean "json_schema"?',
    ],
  ],
  [
    "a chain too long",
    then("{ fallback_chain: [a, b, c, d, e, f, g, h] }"),
    ["p.yaml:3:29: error: rule r: fallback_chain: expected 0 to 7 entries, found 8"],
  ],
  [
    "a chain entry without a model",
    then("{ fallback_chain: [{ timeout: { ttft: 1s } }] }"),
    ['p.yaml:3:30: error: rule r: fallback_chain: key "model" is missing'],
  ],
  [
    "an unknown reason",
    then("{ fallback_on: [errors] }"),
    [
      'p.yaml:3:27: error: rule r: fallback_on: expected one of error, rate_limit, overloaded, timeout, context_length, validation, refusal, found "errors"; did you mean "error"?',
    ],
  ],
  [
    "an unknown hold",
    then("{ heal: { hold: all } }"),
    ['p.yaml:3:27: error: rule r: heal: hold: expected one of preflush, full, off, found "all"'],
  ],
  [
    "a hedge without a delay",
    then("{ hedge: { model: m } }"),
    ['p.yaml:3:20: error: rule r: hedge: key "after" is missing'],
  ],
  ["a hedge that is on", then("{ hedge: on }"), ['p.yaml:3:20: error: rule r: hedge: expected "off", found "on"']],
  [
    "six retries",
    then("{ retry: { max: 6 } }"),
    ["p.yaml:3:27: error: rule r: retry: max: expected an integer from 0 to 5, found 6"],
  ],
  [
    "a duration without a unit",
    then("{ timeout: { ttft: 30 } }"),
    ["p.yaml:3:30: error: rule r: timeout: ttft: expected a duration such as 250ms, 2s or 5m, found 30; add the unit"],
  ],
  [
    "a duration of more than a day",
    then("{ timeout: { ttft: 25h } }"),
    ['p.yaml:3:30: error: rule r: timeout: ttft: expected a duration such as 250ms, 2s or 5m, found "25h"'],
  ],
  [
    "a parameter that rules do not own",
    then("{ params: { set: { model: x } } }"),
    [
      'p.yaml:3:30: error: rule r: params: set: expected a top-level field other than model, stream, messages, input, found "model"',
    ],
  ],
  [
    "a parameter set and dropped",
    then("{ params: { set: { top_p: 1 }, drop: [top_p] } }"),
    ['p.yaml:3:21: error: rule r: params: "top_p" is named twice; set it, cap it or drop it'],
  ],
  [
    "nine tags",
    then(`{ tags: { ${[..."abcdefghi"].map((name) => `${name}: x`).join(", ")} } }`),
    ["p.yaml:3:19: error: rule r: tags: expected 1 to 8 entries, found 9"],
  ],
  ["a tag name with a dash", then("{ tags: { a-b: c } }"), ["p.yaml:3:21: error: rule r: tags: expected a tag name"]],
  [
    "a block with a model",
    then("{ block: { message: no }, model: m }"),
    ["p.yaml:3:11: error: rule r: block stands alone; remove model"],
  ],
  [
    "a block with a model, and a wrong status",
    then("{ block: { status: 500, message: no }, model: m }"),
    [
      "p.yaml:3:11: error: rule r: block stands alone; remove model",
      "p.yaml:3:30: error: rule r: block: status: expected an integer",
    ],
  ],
  [
    "a block with status 500",
    then("{ block: { status: 500, message: no } }"),
    ["p.yaml:3:30: error: rule r: block: status: expected an integer from 400 to 499, found 500"],
  ],
  [
    "a block without a message",
    then("{ block: { status: 403 } }"),
    ['p.yaml:3:20: error: rule r: block: key "message" is missing'],
  ],
  ["an alias to a glob", 'aliases: { fast: "gpt-*" }\n', ["p.yaml:1:18: error: aliases: fast: expected a model name"]],
  ["an alias with a bad name", "aliases: { 'a b': m }\n", ["p.yaml:1:12: error: aliases: expected a name or glob"]],
  [
    "defaults with an unknown key",
    "defaults: { modle: m }\n",
    ['p.yaml:1:13: error: defaults: unknown key "modle"; did you mean "model"?'],
  ],
  [
    "a test without a request",
    "tests:\n  - { name: t, expect: { rule: none } }\n",
    ["p.yaml:2:5: error: test 1: give a request, or the file that holds it"],
  ],
  [
    "a test without an expectation",
    "tests:\n  - { name: t, file: a.json }\n",
    ['p.yaml:2:5: error: test 1: key "expect" is missing'],
  ],
  [
    "a test that expects what is not decided",
    "tests:\n  - { name: t, file: a.json, expect: { modle: m } }\n",
    ['p.yaml:2:40: error: test 1: expect: unknown key "modle"; did you mean "model"?'],
  ],
  [
    "a moment without a zone",
    "tests:\n  - { name: t, file: a.json, at: 2026-11-24T12:00, expect: {} }\n",
    ["p.yaml:2:34: error: test 1: at: expected a moment such as 2026-11-24T12:00:00Z"],
  ],
  ["an alias without an anchor", when("*nowhere"), ["p.yaml:3:11: error: no anchor &nowhere stands before this alias"]],
  [
    "an anchor in itself",
    "rules: &a [ { name: r, then: { params: { set: { x: *a } } } } ]\n",
    ["p.yaml:1:52: error: anchor &a contains itself"],
  ],
  [
    "a merge key",
    "defaults: &d { model: m }\nrules: [ { name: r, then: { <<: *d } } ]\n",
    ['p.yaml:2:29: error: rule r: unknown key "<<"; merge keys are not part of YAML 1.2'],
  ],
  ["a mapping as a key", "? { a: b }\n: c\n", ["p.yaml:1:3: error: a key must be a word"]],
];

describe("mistakes in a policy file", () => {
  for (const [what, text, starts] of mistakes) {
    test(`tells where ${what} stands`, () => {
      const found = mistakesIn(text);
      expect(found.length).toBeGreaterThanOrEqual(starts.length);
      for (const start of starts) expect(found.filter((line) => line.startsWith(start))).toHaveLength(1);
    });
  }

  test("tells all of them at once, in the order of the file", () => {
    const found = mistakesIn(
      "vresion: 1\nrules:\n  - name: a\n    when: { strem: true, tools_lt: x }\n    then: { modle: m }\n  - then: {}\n",
    );
    expect(found.map((line) => line.split(" ")[0])).toEqual([
      "p.yaml:1:1:",
      "p.yaml:4:13:",
      "p.yaml:4:36:",
      "p.yaml:5:13:",
      "p.yaml:6:5:",
      "p.yaml:6:5:",
    ]);
  });

  test("tells where the structure broke, not all that follows from it", () => {
    const found = mistakesIn(
      "rules:\n  - name: a\n    then: { model: m } }\n  - name: b\n    when: >-\n      a\n      b\n    then: { modle: m }\n",
    );
    expect(found).toEqual(['p.yaml:3:24: error: not valid YAML: unexpected flow-map-end token in YAML stream: "}"']);
  });

  test("shows the first hundred and counts the rest", () => {
    const found = mistakesIn(`rules:\n${"  - x\n".repeat(150)}`);
    expect(found).toHaveLength(101);
    expect(found.at(-1)).toContain("50 more errors are not shown");
  });

  test("refuses a file above one MiB", () => {
    expect(mistakesIn(`rules: []\n#${"x".repeat(1_048_576)}`)).toEqual([
      "p.yaml:1:1: error: the file is larger than 1048576 bytes",
    ]);
  });

  test("refuses aliases that expand past one MiB", () => {
    const levels = Array.from(
      { length: 9 },
      (_, level) => `x${level}: &a${level} [${level === 0 ? "lol" : `*a${level - 1}, `.repeat(9)}]`,
    );
    const text = `defaults: { params: { set: { ${levels.join(", ")} } } }\n`;
    const [first = ""] = mistakesIn(text);
    expect(first).toContain("aliases expand to more than 1048576 bytes");
  });

  test("refuses nesting, in brackets or by indentation, before it costs anything", () => {
    expect(mistakesIn("[".repeat(1_000_000))).toEqual(["p.yaml:1:101: error: nested deeper than 100"]);
    expect(mistakesIn("- ".repeat(500_000))).toEqual(["p.yaml:1:200: error: nested deeper than 100"]);
  });

  test("quotes only the start of a long value, on one line", () => {
    const [line = ""] = mistakesIn(when(`{ stream: "${"x\\n".repeat(100)}" }`));
    expect(line).not.toContain("\n");
    expect(line.length).toBeLessThan(150);
  });
});

describe("a policy file", () => {
  test("needs nothing but rules", () => {
    expect(policyOf("rules: []\n").rules).toEqual([]);
    expect(policyOf("rules:\n").rules).toEqual([]);
  });

  test("reads off, no and 08:30 as the words they are in YAML 1.2", () => {
    const policy = policyOf(
      "rules:\n  - name: no\n    when: { time: { from: 08:30, to: 24:00 } }\n    then: { hedge: off, heal: { hold: off } }\n",
    );
    expect(policy.rules[0]).toMatchObject({ name: "no", then: { hedge: null, heal: { hold: "off" } } });
  });

  test("may name a block once and use it twice", () => {
    const policy = policyOf(
      "rules:\n  - { name: a, when: &w { stream: true }, then: &t { model: m } }\n  - { name: b, when: *w, then: *t }\n",
    );
    expect(policy.rules.map((each) => each.then.model)).toEqual([
      { kind: "one", model: "m" },
      { kind: "one", model: "m" },
    ]);
  });

  test("treats __proto__ as data", () => {
    const policy = policyOf(
      "rules:\n  - name: a\n    when: { metadata: { __proto__: x } }\n    then: { params: { set: { __proto__: { polluted: true } } } }\n",
    );
    expect(Object.keys(policy.rules[0]?.then.params?.set ?? {})).toEqual(["__proto__"]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test("is named by the SHA-256 of its bytes", () => {
    const policy = policyOf("rules: []\n");
    expect(policy.hashFull).toBe(sha256Hex("rules: []\n"));
    expect(policy.hash12).toBe(sha256Hex("rules: []\n").slice(0, 12));
    expect(policyOf("rules: [] \n").hash12).not.toBe(policy.hash12);
  });

  test("knows where its rules and tests stand", () => {
    const policy = policyOf(
      "rules:\n  - name: a\n    then: { model: m }\ntests:\n  - name: t\n    request: { model: m }\n    expect: { rule: a }\n",
    );
    expect(policy.rules[0]?.position).toEqual({ file: "policies.yaml", line: 2, column: 11 });
    expect(policy.tests[0]?.position).toEqual({ file: "policies.yaml", line: 5, column: 11 });
  });

  test("lays rules over defaults: settings key by key, the rest whole", () => {
    const policy = policyFrom({
      defaults: {
        model: "d",
        validate: ["json"],
        timeout: { ttft: "1s", total: "9s" },
        tags: { a: "1" },
        params: { set: { x: 1, y: 1 }, drop: ["z"] },
      },
      rules: [
        {
          name: "r",
          then: { validate: [], timeout: { ttft: "2s" }, tags: { b: "2" }, params: { cap: { x: 5 }, set: { z: 3 } } },
        },
      ],
    });
    expect(policy.rules[0]?.then).toEqual({
      model: { kind: "one", model: "d" },
      validate: [],
      timeout: { ttftMs: 2000, totalMs: 9000 },
      tags: { a: "1", b: "2" },
      params: { set: { y: 1, z: 3 }, cap: { x: 5 }, drop: [] },
    });
  });

  test("blocks by default only what no rule matches", () => {
    const policy = policyFrom({ defaults: { block: { message: "no" } }, rules: [{ name: "r", then: { model: "m" } }] });
    expect(policy.rules[0]?.then).toEqual({ model: { kind: "one", model: "m" } });
    expect(policy.defaults.block).toEqual({ status: 403, message: "no" });
  });

  test("takes an exact alias before a glob, and globs in their order", () => {
    const { resolveAlias } = policyFrom({ aliases: { "gpt-*": "a", "gpt-4*": "b", "gpt-4o": "c" }, rules: [] });
    expect(["gpt-4o", "gpt-4.1", "gpt-5", "o3"].map(resolveAlias)).toEqual(["c", "a", "a", "o3"]);
  });

  test("#51 one alias serves every name of an agent's small model", () => {
    const { resolveAlias } = policyFrom({ aliases: { "claude-*haiku*": "gpt-6-luna" }, rules: [] });
    const names = ["claude-3-5-haiku-20241022", "claude-haiku-4-5", "claude-haiku-5-5-20261101", "claude-sonnet-5-5"];
    expect(names.map(resolveAlias)).toEqual(["gpt-6-luna", "gpt-6-luna", "gpt-6-luna", "claude-sonnet-5-5"]);
  });
});

describe("several files", () => {
  const files = (...texts: readonly string[]) =>
    parsePolicy(texts.map((text, index) => ({ name: `${index}.yaml`, text })));

  test("are one policy, rules in the order of the files", () => {
    const result = files(
      "rules: [{ name: a, then: { model: m } }]\n",
      "defaults: { tags: { t: x } }\nrules: [{ name: b, then: { model: m } }]\n",
    );
    expect(result.ok && result.policy.rules.map((each) => [each.name, each.then.tags])).toEqual([
      ["a", { t: "x" }],
      ["b", { t: "x" }],
    ]);
    expect(result.ok && result.policy.files).toEqual(["0.yaml", "1.yaml"]);
  });

  test("may not say the same thing twice", () => {
    const text =
      "aliases: { f: m }\ndefaults: { model: m }\nrules: [{ name: a, then: { model: m } }]\ntests: [{ name: t, file: a.json, expect: {} }]\n";
    const result = files(text, text);
    expect(result.ok ? [] : result.diagnostics.map(renderDiagnostic)).toEqual([
      '1.yaml:1:12: error: the alias "f" is given twice, first at 0.yaml:1',
      "1.yaml:2:1: error: defaults is given twice, first at 0.yaml:2",
      '1.yaml:3:17: error: the rule name "a" is given twice, first at 0.yaml:3',
      '1.yaml:4:17: error: the test name "t" is given twice, first at 0.yaml:4',
    ]);
  });
});
