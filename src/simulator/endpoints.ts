/** The endpoints beside the three that generate: models, embeddings, moderations, files, batches. Small, but in the vendors' shapes. */
import { isArray, own, type Json, type JsonObject } from "../base/json.ts";
import type { ProviderName } from "../base/names.ts";
import { CLAUDE_IDS, findClaudeModel } from "./claude-models.ts";
import type { Identity } from "./identity.ts";
import { checkField, missing, refuse as refuseOpenAi } from "./openai-checks.ts";
import { findOpenAiModel, OPENAI_IDS } from "./openai-models.ts";
import { refuse as refuseAnthropic } from "./anthropic-checks.ts";
import { countTokens, type Refusal } from "./refusal.ts";

/** What a small endpoint needs. */
export interface EndpointRequest {
  readonly provider: ProviderName;
  readonly method: string;
  /** Path from `/v1` on, without slash at its end. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Parsed body; null when there is none or it is not JSON. */
  readonly json: Json;
  readonly today: string;
  readonly identity: Identity;
}

/** A 200 body or a refusal. */
export type EndpointResult = { readonly json: JsonObject } | { readonly refusal: Refusal };

const CREATED_SECONDS = 1_760_000_000;

/** Answers the request, or refuses it; null: no such endpoint. */
export function answerEndpoint(request: EndpointRequest): EndpointResult | null {
  const { provider, method, path } = request;
  const [, , family = "", id] = path.split("/");
  if (family === "models" && method === "GET")
    return id === undefined ? listModels(request) : oneModel(request, decodeURIComponent(id));
  if (provider === "openai" && path === "/v1/embeddings") return embed(request);
  if (provider === "openai" && path === "/v1/moderations") return moderate(request);
  if (provider === "openai" && path.startsWith("/v1/chat/completions/"))
    return {
      refusal: refuseOpenAi(`Chat completion with id '${path.split("/")[4] ?? ""}' not found.`, null, null, 404),
    };
  if (family === "files") return files(request, id);
  if (provider === "openai" && family === "batches") return batches(request, id);
  return provider === "anthropic" && path.startsWith("/v1/messages/batches")
    ? batches(request, path.split("/")[4])
    : null;
}

function isServed(shutdownOn: string | null | undefined, today: string): boolean {
  return shutdownOn === null || (shutdownOn !== undefined && shutdownOn > today);
}

function listModels({ provider, query, today }: EndpointRequest): EndpointResult {
  if (provider === "openai") {
    const data = OPENAI_IDS.filter((id) => isServed(findOpenAiModel(id)?.shutdownOn, today)).map(openAiModel);
    return { json: { object: "list", data } };
  }
  const ids = CLAUDE_IDS.filter((id) => isServed(findClaudeModel(id)?.shutdownOn, today));
  const after = ids.findIndex((id) => id === query.get("after_id")) + 1;
  const page = ids.slice(after, after + Number(query.get("limit") ?? 20));
  return {
    json: {
      data: page.map(claudeModel),
      has_more: after + page.length < ids.length,
      first_id: page[0] ?? null,
      last_id: page.at(-1) ?? null,
    },
  };
}

function oneModel({ provider, today }: EndpointRequest, id: string): EndpointResult {
  const found = provider === "openai" ? findOpenAiModel(id) : findClaudeModel(id);
  if (isServed(found?.shutdownOn, today)) return { json: provider === "openai" ? openAiModel(id) : claudeModel(id) };
  return {
    refusal:
      provider === "openai"
        ? refuseOpenAi(`The model '${id}' does not exist`, "model", "model_not_found", 404)
        : refuseAnthropic(`model: ${id}`, 404, "not_found_error"),
  };
}

function openAiModel(id: string): JsonObject {
  return { id, object: "model", created: CREATED_SECONDS, owned_by: "system" };
}

function claudeModel(id: string): JsonObject {
  const model = findClaudeModel(id);
  return {
    type: "model",
    id,
    display_name: id.replace(/^claude-/, "Claude ").replaceAll("-", " "),
    created_at: "2026-01-01T00:00:00Z",
    max_input_tokens: model?.contextTokens ?? null,
    max_tokens: model?.maxOutputTokens ?? null,
    capabilities: { structured_outputs: { supported: model?.structuredOutputs ?? false } },
    lifecycle: { status: "active", retires_at: model?.shutdownOn ?? null },
  };
}

function embed({ json }: EndpointRequest): EndpointResult {
  const input = own(json, "input");
  const model = own(json, "model");
  if (typeof model !== "string") return { refusal: missing("model") };
  if (input === undefined) return { refusal: missing("input") };
  const found = findOpenAiModel(model);
  if (found === null || !found.endpoints.includes("embeddings"))
    return {
      refusal: refuseOpenAi(
        `The model \`${model}\` does not exist or you do not have access to it.`,
        null,
        "model_not_found",
        404,
      ),
    };
  const dimensions = own(json, "dimensions");
  const bounds = checkField("dimensions", dimensions, { type: "integer", least: 1 });
  if (bounds !== null) return { refusal: bounds };
  const texts = isArray(input) && typeof input[0] !== "number" ? input : [input];
  const length = typeof dimensions === "number" ? dimensions : 8;
  const base64 = own(json, "encoding_format") === "base64";
  const data = texts.map((text, index): Json => {
    const vector = vectorOf(JSON.stringify(text), length);
    const embedding = base64 ? Buffer.from(new Float32Array(vector).buffer).toString("base64") : vector;
    return { object: "embedding", index, embedding };
  });
  const tokens = texts.reduce<number>((total, text) => total + countTokens(JSON.stringify(text)), 0);
  return { json: { object: "list", data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } } };
}

/** A unit-length vector that depends on the text alone. */
function vectorOf(text: string, length: number): number[] {
  const raw = Array.from({ length }, (_, index) =>
    Math.sin((index + 1) * (text.length + (text.codePointAt(index % Math.max(1, text.length)) ?? 1))),
  );
  const norm = Math.hypot(...raw) || 1;
  return raw.map((value) => value / norm);
}

function moderate({ json, identity }: EndpointRequest): EndpointResult {
  const input = own(json, "input");
  if (input === undefined) return { refusal: missing("input") };
  const texts = isArray(input) ? input : [input];
  const results = texts.map(() => ({
    flagged: false,
    categories: { violence: false },
    category_scores: { violence: 0.0001 },
    category_applied_input_types: { violence: ["text"] },
  }));
  return { json: { id: identity.next("modr-"), model: "omni-moderation-latest", results } };
}

function files({ provider, method, identity }: EndpointRequest, id: string | undefined): EndpointResult {
  if (method === "GET" && id === undefined)
    return {
      json:
        provider === "openai"
          ? { object: "list", data: [], has_more: false }
          : { data: [], has_more: false, first_id: null, last_id: null },
    };
  if (method === "POST") {
    return {
      json:
        provider === "openai"
          ? {
              id: identity.next("file-"),
              object: "file",
              bytes: 0,
              created_at: CREATED_SECONDS,
              filename: "simulated",
              purpose: "user_data",
              status: "processed",
            }
          : {
              id: identity.next("file_01", 22),
              type: "file",
              filename: "simulated",
              mime_type: "text/plain",
              size_bytes: 0,
              created_at: "2026-11-22T00:00:00Z",
              downloadable: false,
            },
    };
  }
  if (method === "DELETE")
    return {
      json:
        provider === "openai"
          ? { id: id ?? "", object: "file", deleted: true }
          : { id: id ?? "", type: "file_deleted" },
    };
  return {
    refusal:
      provider === "openai"
        ? refuseOpenAi(`No such File object: ${id ?? ""}`, "id", null, 404)
        : refuseAnthropic(`File not found: ${id ?? ""}`, 404, "not_found_error"),
  };
}

function batches({ provider, method, identity }: EndpointRequest, id: string | undefined): EndpointResult {
  if (method === "GET" && id === undefined)
    return {
      json:
        provider === "openai"
          ? { object: "list", data: [], has_more: false }
          : { data: [], has_more: false, first_id: null, last_id: null },
    };
  if (method === "POST") {
    return {
      json:
        provider === "openai"
          ? { id: identity.next("batch_"), object: "batch", status: "validating", created_at: CREATED_SECONDS }
          : {
              id: identity.next("msgbatch_01", 22),
              type: "message_batch",
              processing_status: "in_progress",
              created_at: "2026-11-22T00:00:00Z",
            },
    };
  }
  return {
    refusal:
      provider === "openai"
        ? refuseOpenAi(`No batch found with id '${id ?? ""}'.`, null, null, 404)
        : refuseAnthropic("Message Batch not found", 404, "not_found_error"),
  };
}
