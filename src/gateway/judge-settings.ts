/** How answers of one request are judged and held: decision, header and configuration together. */
import { createEarlyCheck } from "../heal/early.ts";
import type { SchemaStore } from "../heal/json-schema.ts";
import type { Decision } from "../policy/decision.ts";
import type { Facts } from "../wire/format.ts";
import type { OpenEarlyCheck } from "./hold.ts";
import type { JudgeSettings } from "./judge.ts";
import type { GatewaySettings } from "./settings.ts";

/** What all requests of a decision share. */
export type FixedJudgement = Omit<JudgeSettings, "schemas" | "openEarly">;

/** `auto` holds when something is to be judged. */
export function fixedJudgement(settings: GatewaySettings, decision: Decision): FixedJudgement {
  const { heal, limits } = settings;
  const wish = decision.heal.hold ?? heal.hold;
  const hold = wish === "auto" ? (decision.validate.length > 0 ? "preflush" : "off") : wish;
  return {
    validators: decision.validate,
    fallbackOn: decision.fallbackOn,
    gate: {
      hold,
      preflushBytes: decision.heal.preflushBytes ?? heal.preflushBytes,
      rawBytes: heal.rawBytes,
      holdTimeMs: heal.holdTimeMs,
      fullBytes: limits.responseBytes,
    },
  };
}

/** How the answers of one request are judged; `fixed` is that of its decision. */
export function judgeSettings(
  fixed: FixedJudgement,
  decision: Decision,
  facts: Facts,
  schemas: SchemaStore,
): JudgeSettings {
  const { validators, fallbackOn, gate } = fixed;
  const openEarly = validators.length === 0 ? null : earlyCheck(decision, facts, schemas);
  return { validators, fallbackOn, gate, schemas, openEarly };
}

/** The check of text as it streams in, where the text as a whole is to be JSON; null where it is not. */
function earlyCheck({ validate }: Decision, { jsonSchema }: Facts, schemas: SchemaStore): OpenEarlyCheck | null {
  const isSchema = validate.includes("json_schema") && jsonSchema !== null;
  if (!isSchema) return validate.includes("json") ? () => createEarlyCheck(null) : null;
  const opened = schemas.open(jsonSchema);
  // A schema that cannot be used still asks for JSON.
  return () => createEarlyCheck(opened.ok ? opened.document : null);
}
