/** Rows of the parameter table. */
import { unsupported } from "../../base/errors.ts";
import { isArray, type Json } from "../../base/json.ts";
import type { FieldRow } from "../translator.ts";
import type { Draft } from "./draft.ts";

/** A row with the code that does it; `value` is the field's, undefined when absent or null. */
export interface ParameterRow extends FieldRow {
  /** Top-level fields that it reads, if not just the one that it is about: without one of them it does not run. */
  readonly reads?: readonly string[];
  /** It runs on every request. */
  readonly always?: boolean;
  readonly apply: (value: Json | undefined, draft: Draft) => void;
}

/** A row for a field that is dropped when it is given. */
export const drop = (field: string, becomes = "Not sent."): ParameterRow => ({
  field,
  outcomes: ["D"],
  becomes,
  apply: (value, draft) => {
    if (value !== undefined) draft.report.drop(field);
  },
});

/** A row for a field that is refused unless it is empty; `message` says what to do. */
export const refuse = (field: string, becomes: string, message: string): ParameterRow => ({
  field,
  outcomes: ["R"],
  becomes,
  apply: (value) => {
    const isEmpty = value === undefined || (isArray(value) && value.length === 0);
    if (!isEmpty) throw unsupported(field, `${field}: ${message}`);
  },
});
