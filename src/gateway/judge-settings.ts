/** How answers of one request are judged and held: decision, header and configuration together. */
import type { SchemaStore } from "../heal/json-schema.ts";
import type { Decision } from "../policy/decision.ts";
import type { JudgeSettings } from "./judge.ts";
import type { GatewaySettings } from "./settings.ts";

/** `auto` holds when something is to be judged. */
export function judgeSettings(settings: GatewaySettings, decision: Decision, schemas: SchemaStore): JudgeSettings {
  const { heal, limits } = settings;
  const wish = decision.heal.hold ?? heal.hold;
  const hold = wish === "auto" ? (decision.validate.length > 0 ? "preflush" : "off") : wish;
  return {
    validators: decision.validate,
    fallbackOn: decision.fallbackOn,
    schemas,
    early: null,
    gate: {
      hold,
      preflushBytes: decision.heal.preflushBytes ?? heal.preflushBytes,
      rawBytes: heal.rawBytes,
      holdTimeMs: heal.holdTimeMs,
      fullBytes: limits.responseBytes,
    },
  };
}
