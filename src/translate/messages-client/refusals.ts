/** Parameters that ask for what only Anthropic's servers do. */
import { GatewayError } from "../../base/errors.ts";
import { own, type Json } from "../../base/json.ts";
import { refuse, type ParameterRow } from "./parameter-row.ts";

function refuseThread(value: Json | undefined): void {
  if (value === undefined) return;
  const isContinued = own(value, "type") === "continue";
  // The SDKs read the code and send the whole conversation instead.
  throw new GatewayError(
    "unsupported-translation",
    isContinued
      ? "thread: this conversation is not kept here; send all of its messages"
      : "thread: this model keeps no conversations; send all messages with every request",
    isContinued
      ? { param: "thread", status: 404, code: "not_found", detailsCode: "thread_not_found" }
      : { param: "thread", detailsCode: "thread_unsupported_request" },
  );
}

/** Run before any work is done. */
export const REFUSED_ROWS: readonly ParameterRow[] = [
  {
    field: "thread",
    outcomes: ["R"],
    becomes:
      "Refused with `error.details.error_code` `thread_unsupported_request` (create) or a 404 `thread_not_found` (continue), on which the SDKs send the whole conversation.",
    apply: refuseThread,
  },
  refuse(
    "mcp_servers",
    "Refused: Anthropic would call them.",
    "these servers are called by Anthropic; use a Claude model",
  ),
  refuse("container", "Refused: it runs at Anthropic.", "containers run at Anthropic; use a Claude model"),
  refuse("compaction", "Refused: it happens at Anthropic.", "compaction happens at Anthropic; use a Claude model"),
  refuse(
    "inference_geo",
    "Refused: a promise about the place cannot be kept by another provider.",
    "the place of inference cannot be promised for this model; leave it out or use a Claude model",
  ),
];
