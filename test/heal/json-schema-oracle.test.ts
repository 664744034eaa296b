/** A second opinion on generated schemas and documents: TypeBox's evaluator, which shares no code with ours. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Check } from "typebox/schema";
import { createSchemaStore, DEFAULT_SCHEMA_LIMITS } from "../../src/heal/json-schema.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { documentOf, schemaArbitrary } from "./schemas.ts";

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
        // One that refers to itself without going down into the value overflows TypeBox's stack, after seconds.
        if (document === undefined || !opened.ok || JSON.stringify(schema).includes('"$ref":"#"')) return;
        const { result } = opened.validate(document.json);
        if (result === "not-validated") return;
        compared++;
        expect(result === "valid").toBe(Check(schema, document.json));
      },
    ),
    { numRuns: 1_000 },
  );
  console.info(`json schema: ${compared} verdicts compared with TypeBox's, all alike`);
  expect(compared).toBeGreaterThan(300);
});
