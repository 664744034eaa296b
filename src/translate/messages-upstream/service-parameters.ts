/** Parameters about the caller and the service: who asks, at what tier, what is kept and cached. */
import { unsupported } from "../../base/errors.ts";
import { sha256Hex } from "../../base/ids.ts";
import { isObject, isString, own } from "../../base/json.ts";
import { field, type Draft, type ParameterRow } from "./draft.ts";

/** Longest `metadata.user_id` that Anthropic takes. */
const MAX_USER_ID_CHARS = 256;

/** The row of a field that is not sent. */
export function dropRow(name: string): ParameterRow {
  return {
    field: name,
    reads: [name],
    outcomes: ["D", "S"],
    becomes: "not sent; false and null have no effect",
    apply: (draft) => {
      const value = field(draft, name);
      if (value !== null && value !== false) draft.report.drop(name);
    },
  };
}

function applyUser(draft: Draft): void {
  const metadata = field(draft, "metadata");
  const metadataUser = own(metadata, "user_id");
  const candidates = [field(draft, "safety_identifier"), field(draft, "user"), metadataUser ?? null];
  const id = candidates.find((candidate) => isString(candidate) && candidate !== "");
  if (isString(id)) {
    // Anthropic asks for opaque ids: no e-mail address may get through.
    const isOpaque = id.length <= MAX_USER_ID_CHARS && !/^\S+@\S+\.\S+$/.test(id);
    draft.body.metadata = { user_id: isOpaque ? id : sha256Hex(id) };
  }
  if (!isObject(metadata)) return;
  for (const key of Object.keys(metadata)) {
    if (key !== "user_id" || id !== metadataUser) draft.report.drop(`metadata.${key}`);
  }
}

function applyServiceTier(draft: Draft): void {
  switch (field(draft, "service_tier")) {
    case null:
    case "auto":
      return;
    case "default":
      draft.body.service_tier = "standard_only";
      return;
    case "priority":
    case "scale":
      draft.body.service_tier = "auto";
      return;
    case "fast":
      if (draft.options.allowFast && draft.model.capabilities.fastMode) {
        draft.body.speed = "fast";
        return;
      }
      draft.report.drop("service_tier");
      return;
    default:
      draft.report.drop("service_tier");
  }
}

function applyCacheOptions(draft: Draft): void {
  draft.markerTtl = own(field(draft, "prompt_cache_options"), "ttl") === "12h" ? "1h" : null;
}

function applyModeration(draft: Draft): void {
  const value = field(draft, "moderation");
  if (value === null) return;
  const policy = own(value, "policy");
  const modes = [value, own(policy, "input"), own(policy, "output")].map((holder) => own(holder, "mode"));
  if (modes.includes("block")) {
    throw unsupported("moderation", "blocking moderation does not exist for this model; moderate before the request");
  }
  draft.report.drop("moderation");
}

const ignore = (): void => undefined;

/** Rows for the service; no other row depends on them. */
export const SERVICE_ROWS: readonly ParameterRow[] = [
  {
    field: "user, safety_identifier, metadata",
    reads: ["user", "safety_identifier", "metadata"],
    outcomes: ["M", "D"],
    becomes:
      "`metadata.user_id` from `safety_identifier`, else `user`, else `metadata.user_id`; over 256 characters or an e-mail address: its SHA-256; other metadata is not sent",
    apply: applyUser,
  },
  dropRow("store"),
  {
    field: "service_tier",
    reads: ["service_tier"],
    outcomes: ["M", "D", "S"],
    becomes:
      "`default` → `standard_only`, `priority` and `scale` → `auto`, `fast` → `speed: fast` where allowed; `auto` has no effect; else not sent",
    apply: applyServiceTier,
  },
  ...["prompt_cache_key", "prompt_cache_retention"].map((name): ParameterRow => ({
    field: name,
    reads: [name],
    outcomes: ["S"],
    becomes: "routing hint of OpenAI without effect on the answer",
    apply: ignore,
  })),
  {
    field: "prompt_cache_options",
    reads: ["prompt_cache_options"],
    outcomes: ["M", "S"],
    becomes: "`ttl` is the lifetime of cache breakpoints that name none; `mode` has no effect",
    apply: applyCacheOptions,
  },
  {
    field: "moderation",
    reads: ["moderation"],
    outcomes: ["D", "R"],
    becomes: "`mode: score` is not sent, `mode: block` refused",
    apply: applyModeration,
  },
];
