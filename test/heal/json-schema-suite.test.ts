import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Json, JsonObject } from "../../src/base/json.ts";
import { createSchemaStore, DEFAULT_SCHEMA_LIMITS } from "../../src/heal/json-schema.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { sharedDir, sharedMissing } from "../support/shared.ts";

interface SuiteGroup {
  readonly description: string;
  readonly schema: Json;
  readonly tests: readonly { readonly description: string; readonly data: Json; readonly valid: boolean }[];
}

interface Score {
  right: number;
  total: number;
  readonly wrong: string[];
  readonly notValidated: string[];
}

const DRAFTS = [
  { folder: "draft2020-12", declared: "https://json-schema.org/draft/2020-12/schema", floor: 0.95 },
  { folder: "draft7", declared: "http://json-schema.org/draft-07/schema#", floor: 0.96 },
] as const;

function runFolder(folder: string, declared: string): Score {
  const score: Score = { right: 0, total: 0, wrong: [], notValidated: [] };
  const store = createSchemaStore(DEFAULT_SCHEMA_LIMITS, createFakeClock());
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
    const groups = JSON.parse(readFileSync(join(folder, file), "utf8")) as SuiteGroup[];
    for (const { description, schema, tests } of groups) {
      // The suite runs each folder under its own draft; a schema of a caller says which it means.
      const declaring =
        typeof schema === "object" && schema !== null
          ? ({ $schema: declared, ...(schema as JsonObject) } as Json)
          : schema;
      const opened = store.open(declaring);
      for (const { description: name, data, valid } of tests) {
        score.total++;
        const label = `${file}: ${description}: ${name}`;
        const verdict = opened.ok ? opened.validate(data) : { result: "not-validated" as const, reason: opened.reason };
        const { result } = verdict;
        if (verdict.result === "not-validated") score.notValidated.push(`${label}: ${verdict.reason}`);
        else if ((result === "valid") === valid) score.right++;
        else score.wrong.push(label);
      }
    }
  }
  return score;
}

describe("the official JSON Schema suite", () => {
  for (const { folder, declared, floor } of DRAFTS) {
    test.skipIf(sharedDir === null)(
      `${folder}: agrees on at least ${floor * 100} %; the rest leads out of the schema and is not judged${sharedDir === null ? ` (${sharedMissing})` : ""}`,
      () => {
        const path = join(sharedDir ?? "", "data/json-schema-test-suite/tests", folder);
        const { right, total, wrong, notValidated } = runFolder(path, declared);
        console.info(
          `${folder}: ${right} of ${total} right (${((100 * right) / total).toFixed(1)} %), ${notValidated.length} not validated, ${wrong.length} wrong`,
        );
        if (process.env["SUITE_DETAILS"] !== undefined) console.info([...wrong, "--", ...notValidated].join("\n"));
        expect(wrong).toEqual([]);
        expect(notValidated.filter((label) => !/leads out of the schema|declares a dialect/.test(label))).toEqual([]);
        expect(right / total).toBeGreaterThanOrEqual(floor);
      },
    );
  }
});
