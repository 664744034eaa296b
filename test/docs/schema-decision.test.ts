/**
 * What docs/decisions/0004-own-schema-evaluator.md says of TypeBox and of ours. When one of these fails after an upgrade, the
 * decision wants to be looked at again.
 */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Check, Compile } from "typebox/schema";
import { createSchemaStore, DEFAULT_SCHEMA_LIMITS, type SchemaVerdict } from "../../src/heal/json-schema.ts";
import type { Json } from "../../src/base/json.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { sharedDir, sharedMissing } from "../support/shared.ts";

function judge(schema: Json, value: Json): SchemaVerdict {
  const opened = createSchemaStore(DEFAULT_SCHEMA_LIMITS, createFakeClock()).open(schema);
  return opened.ok ? opened.validate(value) : { result: "not-validated", reason: opened.reason };
}

/** Runs `work` with the global `name` replaced by one that notes the arguments of each `new`. */
function constructed(name: "Function" | "RegExp", work: () => void): readonly (readonly unknown[])[] {
  const calls: unknown[][] = [];
  const original = globalThis[name];
  const spy: unknown = new Proxy(original, {
    construct: (target, args: unknown[]) => {
      calls.push(args);
      return Reflect.construct(target, args) as object;
    },
  });
  Reflect.set(globalThis, name, spy);
  try {
    work();
  } finally {
    Reflect.set(globalThis, name, original);
  }
  return calls;
}

/** A chain of definitions, each an alternative of the one before and itself: twice the work for each. */
function doubling(levels: number): Readonly<Record<string, Json>> {
  const definitions: Record<string, Json> = { d0: { type: "string" } };
  for (let level = 1; level <= levels; level++) {
    const before = { $ref: `#/$defs/d${level - 1}` };
    definitions[`d${level}`] = { anyOf: [before, before] };
  }
  return { $ref: `#/$defs/d${levels}`, $defs: definitions };
}

const SCHEMA = { properties: { unusual_name: { type: "integer" } } };

describe("TypeBox 1.x", () => {
  test("makes code that holds the schema's names when it compiles, and none when it checks", () => {
    const compiled = constructed("Function", () => void Compile(SCHEMA));
    expect(JSON.stringify(compiled)).toContain("unusual_name");
    expect(constructed("Function", () => void Check(SCHEMA, {}))).toEqual([]);
  });

  test("gives the schema's patterns to the engine's RegExp either way", () => {
    const calls = constructed("RegExp", () => {
      Check({ pattern: "^unusual$" }, "x");
      Check({ patternProperties: { "^rare$": true } }, { x: 1 });
      Compile({ pattern: "^odd$" });
    });
    expect(calls.map(([source]) => source)).toEqual(
      expect.arrayContaining(["^unusual$", "^rare$", "^odd$"]) as unknown as unknown[],
    );
  });

  test("has work that doubles with each definition more, and is not told to stop", () => {
    // How often the value is looked at, by a value that counts it.
    const looks = (levels: number): number => {
      let count = 0;
      const value = new Proxy([], {
        get: (target, key) => {
          count++;
          return Reflect.get(target, key) as unknown;
        },
      });
      const schema = doubling(levels);
      const definitions = schema["$defs"] as Record<string, Json>;
      Check({ ...schema, $defs: { ...definitions, d0: { minItems: 1 } } }, value);
      return count;
    };
    expect(looks(6)).toBe(2 * looks(5));
    expect(looks(10)).toBe(32 * looks(5));
  });

  test("asks a check of one's own only where the other keywords hold", () => {
    let asked = 0;
    const check = (): boolean => {
      asked++;
      return true;
    };
    const hook = { "~refine": [{ check, error: () => "" }] };
    Check({ type: "string", ...hook }, 1);
    expect(asked).toBe(0);
    Check({ type: "string", ...hook }, "x");
    expect(asked).toBe(1);
  });

  test("takes an inherited property for one of the value's own", () => {
    expect(Check({ required: ["toString"] }, {})).toBe(true);
    expect(judge({ required: ["toString"] }, {}).result).toBe("invalid");
  });
});

describe("our evaluator", () => {
  test("makes no code of a schema and gives no pattern to the engine", () => {
    expect(constructed("Function", () => void judge(SCHEMA, {}))).toEqual([]);
    const calls = constructed("RegExp", () => void judge({ pattern: "^unusual$" }, "x"));
    expect(calls.filter(([source]) => source === "^unusual$")).toEqual([]);
  });

  test("stops in the middle of such work by its count of steps", () => {
    expect(judge(doubling(18), 1)).toEqual({ result: "not-validated", reason: "more than 200000 steps of work" });
  });

  test("decides a pattern that the engine gives up on", () => {
    expect(judge({ pattern: "^(a+)+$|!$" }, `${"a".repeat(35)}!`).result).toBe("valid");
  });
});

test("no file of src imports TypeBox 1.x: it is the tests' reference", () => {
  const src = resolve(import.meta.dir, "../../src");
  const importing = [...new Bun.Glob("**/*.ts").scanSync({ cwd: src })].filter((path) =>
    /["']typebox(?:\/[^"']*)?["']/.test(readFileSync(join(src, path), "utf8")),
  );
  expect(importing).toEqual([]);
});

/** How one draft of the official suite comes out. */
interface Score {
  right: number;
  wrong: number;
  /** Threw (TypeBox), or was not validated (ours). */
  none: number;
}

type SuiteGroup = {
  readonly schema: Json;
  readonly tests: readonly { readonly data: Json; readonly valid: boolean }[];
};

test.skipIf(sharedDir === null)(
  `in the official suite ours is never wrong, and TypeBox sometimes${sharedDir === null ? ` (${sharedMissing})` : ""}`,
  () => {
    for (const [folder, declared] of [
      ["draft2020-12", "https://json-schema.org/draft/2020-12/schema"],
      ["draft7", "http://json-schema.org/draft-07/schema#"],
    ] as const) {
      const typebox: Score = { right: 0, wrong: 0, none: 0 };
      const ours: Score = { right: 0, wrong: 0, none: 0 };
      // Right answers of TypeBox where ours abstains.
      let abstained = 0;
      const path = join(sharedDir ?? "", "data/json-schema-test-suite/tests", folder);
      for (const file of readdirSync(path).filter((name) => name.endsWith(".json"))) {
        for (const { schema, tests } of JSON.parse(readFileSync(join(path, file), "utf8")) as SuiteGroup[]) {
          const declaring =
            typeof schema === "object" ? ({ $schema: declared, ...(schema as object) } as Json) : schema;
          for (const { data, valid } of tests) {
            const theirs = checkOrNull(declaring, data);
            const { result } = judge(declaring, data);
            count(typebox, theirs, valid);
            count(ours, result === "not-validated" ? null : result === "valid", valid);
            if (result === "not-validated" && theirs === valid) abstained++;
          }
        }
      }
      console.info(
        `${folder}: ours ${JSON.stringify(ours)}, TypeBox ${JSON.stringify(typebox)}, ${abstained} right of TypeBox's where ours abstains`,
      );
      expect(ours.wrong).toBe(0);
      expect(typebox.wrong).toBeGreaterThan(0);
    }
  },
);

function checkOrNull(schema: Json, data: Json): boolean | null {
  try {
    return Check(schema as object, data);
  } catch {
    return null;
  }
}

function count(score: Score, verdict: boolean | null, valid: boolean): void {
  if (verdict === null) score.none++;
  else if (verdict === valid) score.right++;
  else score.wrong++;
}
