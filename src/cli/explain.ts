/** `arouter explain`: why a request goes where it goes, without sending it. */
import { resolve } from "node:path";
import { renderDiagnostic } from "../base/diagnostic.ts";
import { GatewayError } from "../base/errors.ts";
import { isObject } from "../base/json.ts";
import type { Json, JsonObject } from "../base/json.ts";
import { FORMAT_NAMES } from "../base/names.ts";
import type { Usage } from "../base/usage.ts";
import { costUsd, renderUsd } from "../catalog/price.ts";
import { systemFiles } from "../config/files.ts";
import { decide } from "../policy/decide.ts";
import type { Decision } from "../policy/decision.ts";
import type { PolicyInput } from "../policy/context.ts";
import { incapability } from "../gateway/capable.ts";
import { chooseSurface } from "../gateway/surface.ts";
import { offlineInput } from "../policy/run-tests.ts";
import type { Policy } from "../policy/policy.ts";
import { findTranslator } from "../translate/table.ts";
import type { Facts } from "../wire/format.ts";
import { EXIT } from "./exit.ts";
import { renderJson, renderText } from "./explain-text.ts";
import type { Estimate, Explanation, PlannedAttempt } from "./explain-text.ts";
import type { CliIo } from "./io.ts";
import { loadConfiguredPolicy, loadSurroundings } from "./surroundings.ts";
import type { Surroundings } from "./surroundings.ts";
import { readArguments } from "./usage.ts";

const HELP = `arouter explain: why a request goes where it goes; nothing is sent

  arouter explain REQUEST.json [--header "NAME: VALUE"]… [--format FORMAT] [--key NAME] [--json] [--config FILE] [--policy FILE]

  --header  a request header; may be repeated
  --format  chat, messages or responses; otherwise told by the body's shape
  --key     name of the caller's key in [auth] keys
  --json    print all of it as JSON
  --config  arouter.toml; otherwise found as the gateway finds it
  --policy  policy file or folder, instead of the configured one

Shows what the policy reads in the request, each rule with the first condition that failed, the decision, the models
that would be tried, and the estimated cost.
Exit: 0 explained, 1 the gateway would refuse the request, 2 bad usage, or configuration or policy does not load.
`;

/** Output tokens that the estimate counts at most. */
const MAX_ESTIMATED_OUTPUT = 256;

/** Runs the command. */
export async function runExplain(args: readonly string[], io: CliIo): Promise<number> {
  const line = readArguments("explain", args, io, {
    help: HELP,
    options: {
      header: { type: "string", multiple: true },
      format: { type: "string" },
      key: { type: "string" },
      json: { type: "boolean" },
      config: { type: "string" },
      policy: { type: "string" },
    },
    maxPositionals: 1,
  });
  if ("exit" in line) return line.exit;
  const { values, positionals } = line;
  const fail = (message: string): number => {
    io.stderr(`arouter explain: ${message}\n`);
    return EXIT.usage;
  };
  const [path] = positionals;
  if (path === undefined) return fail("name the file that holds the request");
  const format = values.format === undefined ? null : FORMAT_NAMES.find((name) => name === values.format);
  if (format === undefined) return fail(`--format must be one of ${FORMAT_NAMES.join(", ")}`);
  const headers = readHeaders(values.header ?? []);
  if (headers === null) return fail('--header must be "NAME: VALUE"');
  const body = readBody(resolve(io.cwd, path));
  if (typeof body === "string") return fail(`${path}: ${body}`);
  const surroundings = loadSurroundings(io, { config: values.config ?? null, policy: values.policy ?? null });
  const loaded = loadConfiguredPolicy(surroundings);
  if (!loaded.ok || surroundings.config === null) {
    const diagnostics = [...(loaded.ok ? [] : loaded.diagnostics), ...surroundings.diagnostics];
    for (const diagnostic of diagnostics) io.stderr(`${renderDiagnostic(diagnostic)}\n`);
    return EXIT.usage;
  }
  try {
    const input = offlineInput({
      body,
      format,
      headers,
      key: values.key ?? null,
      providerState: {},
      requestId: "explain",
      wallMs: io.now(),
      providerOf: surroundings.providerOf,
    });
    const explanation = explain(loaded.policy, input, surroundings);
    io.stdout(values.json === true ? `${renderJson(explanation)}\n` : renderText(explanation));
    return EXIT.fine;
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    io.stderr(`${path}: the gateway would answer ${error.status}: ${error.message}\n`);
    return EXIT.no;
  }
}

function readHeaders(lines: readonly string[]): Headers | null {
  const headers = new Headers();
  for (const line of lines) {
    const [, name = "", value = ""] = /^([^:\s]+)\s*:\s*(.*)$/.exec(line) ?? [];
    try {
      headers.append(name, value);
    } catch {
      return null;
    }
  }
  return headers;
}

/** The body, or why there is none. */
function readBody(path: string): JsonObject | string {
  const file = systemFiles.read(path);
  if (!file.ok) return `cannot be read: ${file.reason}`;
  try {
    const body = JSON.parse(file.text) as Json;
    return isObject(body) ? body : "is not a JSON object";
  } catch {
    return "is not JSON";
  }
}

function explain(policy: Policy, input: PolicyInput, surroundings: Surroundings): Explanation {
  const { decision, trace } = decide(policy, input, { trace: true });
  const models = decision.block === null ? [decision.model, ...decision.fallbackChain.map(({ model }) => model)] : [];
  return {
    facts: describeFacts(input, decision.modelAsked),
    rules: trace ?? [],
    decision,
    plan: models.map((model, index) => planAttempt(model, index, input.facts, surroundings)),
    estimate: estimateCost(decision, input, surroundings),
  };
}

/** The facts worth a line: those that tell the request from the plainest one. */
function describeFacts({ facts, client, key, providerOf }: PolicyInput, model: string): JsonObject {
  const told: [string, Json | false][] = [
    ["format", facts.format],
    ["model", model],
    ["provider", providerOf(model) ?? "none"],
    ["tokens_input", facts.tokensInput],
    ["max_tokens", facts.maxTokens ?? false],
    ["messages", facts.messages > 1 && facts.messages],
    ["tools", facts.toolNames.length > 0 && facts.toolNames.length],
    ["tool_choice", facts.toolChoice ?? false],
    ["in_tool_loop", facts.inToolLoop],
    ["has_image", facts.hasImage],
    ["has_document", facts.hasDocument],
    ["has_audio", facts.hasAudio],
    ["response_format_type", facts.responseFormatType !== "text" && facts.responseFormatType],
    ["stream", facts.stream],
    ["reasoning", facts.reasoning],
    ["reasoning_effort", facts.reasoningEffort ?? false],
    ["has_cache_control", facts.hasCacheControl],
    ["client", client ?? false],
    ["key", key ?? false],
  ];
  return Object.fromEntries(told.filter(([, value]) => value !== false));
}

/** Which surface of which provider a candidate would be asked on, and what is in its way. */
function planAttempt(model: string, index: number, facts: Facts, surroundings: Surroundings): PlannedAttempt {
  const { catalog, registry, config } = surroundings;
  const { format } = facts;
  const name = registry.resolve(model);
  const formats = name === null ? null : (registry.get(name)?.formats ?? null);
  const unserved = { model, provider: name, upstreamFormat: null, passThrough: false, note: "cannot be served" };
  if (name === null || formats === null) return unserved;
  const entry = catalog.find(model, name);
  const upstreamFormat = chooseSurface(formats, {
    model: entry,
    facts,
    isSwapped: model !== facts.model,
    openaiSurface: config?.providers.openai.surface ?? "auto",
  });
  const passThrough = upstreamFormat === format;
  if (!passThrough && findTranslator(format, upstreamFormat) === null) return unserved;
  const lack = incapability(entry, facts, !passThrough);
  const note = lack === null ? null : `${index === 0 ? "used all the same" : "skipped"}: ${lack}`;
  return { model, provider: name, upstreamFormat, passThrough, note };
}

function estimateCost(decision: Decision, { facts }: PolicyInput, { catalog, providerOf }: Surroundings): Estimate {
  const tokensOutput = Math.min(facts.maxTokens ?? MAX_ESTIMATED_OUTPUT, MAX_ESTIMATED_OUTPUT);
  const usage: Usage = {
    input: facts.tokensInput,
    cacheRead: 0,
    cacheWrite: 0,
    cacheWriteLong: 0,
    output: tokensOutput,
    reasoning: 0,
    source: "estimated",
  };
  const priced = (model: string): number | null => costUsd(catalog.find(model, providerOf(model) ?? undefined), usage);
  const cost = decision.block === null ? priced(decision.model) : 0;
  const asked = priced(decision.modelAsked);
  return {
    costUsd: cost,
    savedUsd: cost === null || asked === null ? null : Number(renderUsd(asked - cost)),
    tokensOutput,
  };
}
