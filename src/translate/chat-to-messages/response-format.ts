/** `response_format` of a Chat request. */
import { invalidRequest } from "../../base/errors.ts";
import { isObject, isString, own } from "../../base/json.ts";
import type { Draft, ParameterRow } from "../messages-upstream/draft.ts";
import { askForObject, askForSchema } from "../messages-upstream/structured-output.ts";

function applyResponseFormat(draft: Draft): void {
  const format = own(draft.source, "response_format") ?? null;
  if (format === null) return;
  switch (own(format, "type")) {
    case "text":
      return;
    case "json_object":
      askForObject(draft, "response_format");
      return;
    case "json_schema": {
      const holder = own(format, "json_schema");
      const schema = own(holder, "schema");
      const description = own(holder, "description");
      if (!isObject(holder))
        throw invalidRequest("json_schema is missing", "response_format.json_schema", "missing_required_parameter");
      if (isObject(schema)) askForSchema(draft, schema, isString(description) ? description : null, "response_format");
      else askForObject(draft, "response_format");
      return;
    }
    default:
      throw invalidRequest("response_format.type must be text, json_object or json_schema", "response_format.type");
  }
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
