/** How answers of one request are judged and held: decision, header and configuration together. */
import { createEarlyCheck } from "../heal/early.ts";
import type { SchemaStore } from "../heal/json-schema.ts";
import type { Decision } from "../policy/decision.ts";
import type { Facts } from "../wire/format.ts";
import type { OpenEarlyCheck } from "./hold.ts";
import type { JudgeSettings } from "./judge.ts";
import type { GatewaySettings } from "./settings.ts";

/** `auto` holds when something is to be judged. */
export function judgeSettings(
  settings: GatewaySettings,
  decision: Decision,
  facts: Facts,
  schemas: SchemaStore,
): JudgeSettings {
  const { heal, limits } = settings;
  const wish = decision.heal.hold ?? heal.hold;
  const hold = wish === "auto" ? (decision.validate.length > 0 ? "preflush" : "off") : wish;
  return {
    validators: decision.validate,
    fallbackOn: decision.fallbackOn,
    schemas,
    openEarly: earlyCheck(decision, facts, schemas),
    gate: {
      hold,
      preflushBytes: decision.heal.preflushBytes ?? heal.preflushBytes,
      rawBytes: heal.rawBytes,
      holdTimeMs: heal.holdTimeMs,
      fullBytes: limits.responseBytes,
    },
  };
}

/** The check of text as it streams in, where the text as a whole is to be JSON; null where it is not. */
function earlyCheck({ validate }: Decision, { jsonSchema }: Facts, schemas: SchemaStore): OpenEarlyCheck | null {
  const isSchema = validate.includes("json_schema") && jsonSchema !== null;
  if (!isSchema) return validate.includes("json") ? () => createEarlyCheck(null) : null;
  const opened = schemas.open(jsonSchema);
  // A schema that cannot be used still asks for JSON.
  return () => createEarlyCheck(opened.ok ? opened.document : null);
}
