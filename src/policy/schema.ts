/** The JSON Schema of a policy file, for editors; derived from the tables that the parser reads by. */
import type { JsonObject } from "../base/json.ts";
import { CONDITIONS, GROUPS } from "./conditions.ts";
import { RULE_NAME } from "./parse.ts";
import { TEST_SCHEMA } from "./tests.ts";
import { modelName, THEN_SCHEMA } from "./then-fields.ts";

const WHEN: JsonObject = { $ref: "#/$defs/when" };

function whenSchema(): JsonObject {
  const conditions = Object.entries(CONDITIONS).map(([name, { doc, reader }]): [string, JsonObject] => [
    name,
    { description: doc, ...reader.schema },
  ]);
  const blocks: JsonObject = { type: "array", items: WHEN, minItems: 1 };
  const groups = Object.entries(GROUPS).map(([name, { doc }]): [string, JsonObject] => [
    name,
    { description: doc, ...(name === "not" ? { allOf: [WHEN] } : blocks) },
  ]);
  return {
    description: "conditions, all of which must hold; none: always",
    type: ["object", "null"],
    properties: Object.fromEntries([...conditions, ...groups]),
    additionalProperties: false,
  };
}

/** JSON Schema (2020-12) of one policy file. */
export function policySchema(): JsonObject {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "ARouter policy",
    description: "Which model a request goes to, what its answer must pass, and what is tried next.",
    type: "object",
    minProperties: 1,
    properties: {
      version: { description: "version of the language", enum: [1] },
      aliases: {
        description: "a name or glob that apps may use, and the model meant; applied before the rules",
        type: ["object", "null"],
        propertyNames: { pattern: "^[A-Za-z0-9._:/@+*?-]{1,256}$" },
        additionalProperties: modelName.schema,
      },
      defaults: {
        description: "what every rule and every unmatched request starts from",
        anyOf: [{ $ref: "#/$defs/then" }, { type: ["object", "null"], maxProperties: 0 }],
      },
      rules: {
        description: "tried from the top; the first whose conditions hold decides",
        type: ["array", "null"],
        items: {
          type: "object",
          properties: {
            name: { description: "unique; a metric label", type: "string", pattern: RULE_NAME.source },
            when: WHEN,
            // oxlint-disable-next-line unicorn/no-thenable -- `then` is a word of the policy language
            then: { $ref: "#/$defs/then", minProperties: 1 },
          },
          required: ["name", "then"],
          additionalProperties: false,
        },
      },
      tests: {
        description: "run by `arouter test`, and before a reload takes effect",
        type: ["array", "null"],
        items: TEST_SCHEMA,
      },
    },
    additionalProperties: false,
    $defs: { when: whenSchema(), then: THEN_SCHEMA },
  };
}
