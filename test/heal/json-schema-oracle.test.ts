/** A second opinion on generated schemas and documents: TypeBox's evaluator, which shares no code with ours. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Check } from "typebox/schema";
import type { Json, JsonObject } from "../../src/base/json.ts";
import { createSchemaStore, DEFAULT_SCHEMA_LIMITS } from "../../src/heal/json-schema.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { documentOf, schemaArbitrary } from "./schemas.ts";

/** null where TypeBox's stack overflows: a schema may refer to itself without going down into the value. */
function secondOpinion(schema: JsonObject, value: Json): boolean | null {
  try {
    return Check(schema, value);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

test("agrees with TypeBox wherever both come to a verdict", () => {
  let compared = 0;
  fc.assert(
    fc.property(
      schemaArbitrary(),
      schemaArbitrary(),
      fc.boolean(),
      fc.infiniteStream(fc.nat()),
      (schema, other, isFitting, choices) => {
        const document = documentOf(isFitting ? schema : other, () => choices.next().value ?? 0);
        const opened = createSchemaStore(DEFAULT_SCHEMA_LIMITS, createFakeClock()).open(schema);
        if (document === undefined || !opened.ok) return;
        const { result } = opened.validate(document.json);
        if (result === "not-validated") return;
        const theirs = secondOpinion(schema, document.json);
        if (theirs === null) return;
        compared++;
        expect(result === "valid").toBe(theirs);
      },
    ),
    { numRuns: 1_000 },
  );
  console.info(`json schema: ${compared} verdicts compared with TypeBox's, all alike`);
  expect(compared).toBeGreaterThan(500);
});
