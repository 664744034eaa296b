/** Anthropic's own parameters in a Chat body, as SDKs send them by `extra_body`. */
import { isArray, isString, own } from "../../base/json.ts";
import { withItem } from "../small-sets.ts";
import { field, type Draft, type ParameterRow } from "./draft.ts";

/**
 * Fields of the beta API and the header value each needs.
 * @see https://platform.claude.com/docs/en/api/beta-headers (read 2026-11-24)
 */
const BETA_OF: Readonly<Record<string, string>> = {
  context_management: "context-management-2025-06-27",
  mcp_servers: "mcp-client-2025-11-20",
};

/** Header value that `speed: fast` needs. */
const FAST_MODE_BETA = "fast-mode-2026-02-01";

const VERBATIM = ["cache_control", "context_management", "mcp_servers", "container", "speed", "inference_geo"] as const;

function applyVerbatim(draft: Draft): void {
  for (const name of VERBATIM) {
    const value = own(draft.source, name);
    if (value === undefined || value === null) continue;
    if (isArray(value) && name === "context_management") {
      // OpenAI's field of this name is a list, and asks for summaries that only OpenAI can read.
      draft.report.drop(name);
      continue;
    }
    draft.body[name] = value;
    const beta = BETA_OF[name];
    if (beta !== undefined) draft.betas = withItem(draft.betas, beta);
  }
  if (draft.body.speed === "fast") draft.betas = withItem(draft.betas, FAST_MODE_BETA);
}

function applyBetas(draft: Draft): void {
  const betas = field(draft, "betas");
  if (!isArray(betas)) return;
  for (const beta of betas) if (isString(beta)) draft.betas = withItem(draft.betas, beta);
}

/** Rows for extensions; run last, as they win over derived values. */
export const EXTENSION_ROWS: readonly ParameterRow[] = [
  {
    field: VERBATIM.join(", "),
    // A service tier may ask for speed too.
    reads: [...VERBATIM, "service_tier"],
    outcomes: ["M"],
    becomes: "the same (extensions)",
    apply: applyVerbatim,
  },
  { field: "betas", reads: ["betas"], outcomes: ["M"], becomes: "the header `anthropic-beta`", apply: applyBetas },
];
