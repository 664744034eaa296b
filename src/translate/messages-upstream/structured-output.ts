/** Structured outputs where the model has them, else the nearest thing that works. */
import { isString, own, type JsonObject } from "../../base/json.ts";
import { transformSchema } from "../maps/response-format.ts";
import { withItem } from "../small-sets.ts";
import { addOutputConfig, addSentence, field, type Draft } from "./draft.ts";
import { renderInputSchema } from "./input-schema.ts";

/** Name of the tool that stands in for structured outputs. */
const JSON_TOOL = "json_response";

/** Asks for any JSON object; `path` is where the caller asked. */
export function askForObject(draft: Draft, path: string): void {
  draft.report.adapt(path);
  addSentence(draft, "Respond with one JSON object and nothing else.");
  draft.checks = withItem(draft.checks, "json");
  draft.reply.stripFence = true;
  draft.wantsPrefill = draft.tools.length === 0;
}

/** Asks for JSON under `schema`; `path` is where the caller asked. */
export function askForSchema(draft: Draft, schema: JsonObject, description: string | null, path: string): void {
  if (draft.model.capabilities.structuredOutputs) {
    const transformed = transformSchema(schema);
    if (transformed !== null) {
      const format = { type: "json_schema", schema: withDescription(transformed.schema, description) };
      addOutputConfig(draft, { format });
      return;
    }
  }
  draft.report.adapt(path);
  draft.checks = withItem(draft.checks, "json_schema");
  const canForce = draft.model.capabilities.forcedToolUse && own(field(draft, "thinking"), "type") !== "enabled";
  if (canForce && draft.tools.length === 0) askForJsonTool(draft, schema, description);
  else askInWords(draft, schema);
}

function withDescription(schema: JsonObject, description: string | null): JsonObject {
  if (description === null || description === "") return schema;
  const present = own(schema, "description");
  return { ...schema, description: isString(present) && present !== "" ? `${present}\n\n${description}` : description };
}

function askForJsonTool(draft: Draft, schema: JsonObject, description: string | null): void {
  const input = renderInputSchema(schema);
  if (input.wrapped) draft.reply.wrappedTools = withItem(draft.reply.wrappedTools, JSON_TOOL);
  const tool = {
    name: JSON_TOOL,
    description: description ?? "Gives the answer.",
    input_schema: input.schema,
  };
  draft.tools.push({ tool, wireName: JSON_TOOL });
  draft.reply.jsonTool = JSON_TOOL;
  draft.choice = { kind: "named", name: JSON_TOOL };
  draft.forced = true;
}

function askInWords(draft: Draft, schema: JsonObject): void {
  addSentence(
    draft,
    `Respond with one JSON value that is valid under this JSON schema, and with nothing else:\n${JSON.stringify(schema)}`,
  );
  draft.reply.stripFence = true;
}
