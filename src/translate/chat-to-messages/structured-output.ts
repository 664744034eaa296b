/** `response_format`: structured outputs where the model has them, else the nearest thing that works. */
import { invalidRequest } from "../../base/errors.ts";
import { isObject, isString, own, type JsonObject } from "../../base/json.ts";
import { transformSchema } from "../maps/response-format.ts";
import { addOutputConfig, field, type Draft, type ParameterRow } from "./draft.ts";
import { renderInputSchema } from "./input-schema.ts";

/** Name of the tool that stands in for structured outputs. */
const JSON_TOOL = "json_response";

function applyResponseFormat(draft: Draft): void {
  const format = own(draft.source, "response_format") ?? null;
  if (format === null) return;
  switch (own(format, "type")) {
    case "text":
      return;
    case "json_object":
      askForObject(draft);
      return;
    case "json_schema": {
      const holder = own(format, "json_schema");
      const schema = own(holder, "schema");
      const description = own(holder, "description");
      if (!isObject(holder))
        throw invalidRequest("json_schema is missing", "response_format.json_schema", "missing_required_parameter");
      if (isObject(schema)) askForSchema(draft, schema, isString(description) ? description : null);
      else askForObject(draft);
      return;
    }
    default:
      throw invalidRequest("response_format.type must be text, json_object or json_schema", "response_format.type");
  }
}

function askForObject(draft: Draft): void {
  draft.report.adapt("response_format");
  draft.systemSentences.push("Respond with one JSON object and nothing else.");
  draft.checks.add("json");
  draft.reply.stripFence = true;
  draft.wantsPrefill = draft.tools.length === 0;
}

function askForSchema(draft: Draft, schema: JsonObject, description: string | null): void {
  if (draft.model.capabilities.structuredOutputs) {
    const transformed = transformSchema(schema);
    if (transformed !== null) {
      const format = { type: "json_schema", schema: withDescription(transformed.schema, description) };
      addOutputConfig(draft, { format });
      return;
    }
  }
  draft.report.adapt("response_format");
  draft.checks.add("json_schema");
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
  if (input.wrapped) draft.reply.wrappedTools.add(JSON_TOOL);
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
  draft.systemSentences.push(
    `Respond with one JSON value that is valid under this JSON schema, and with nothing else:\n${JSON.stringify(schema)}`,
  );
  draft.reply.stripFence = true;
}

/** Rows for the answer's form; run after tools and tool choice, before reasoning. */
export const RESPONSE_FORMAT_ROWS: readonly ParameterRow[] = [
  {
    field: "response_format",
    reads: ["response_format"],
    outcomes: ["M", "A"],
    becomes:
      "`output_config.format` for a schema that Claude can be held to; else a forced tool, else an instruction and a check of the answer; `json_object`: an instruction and a check",
    apply: applyResponseFormat,
  },
];
