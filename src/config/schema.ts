/**
 * Every key of arouter.toml: type, default, unit, documentation and marks, as one table. The `Config` type, the loader, the
 * reference page, the JSON Schema and the file that `arouter init` writes all follow it.
 */
import { list, oneOf, rawTable, textTable, wordOrList } from "./choice-keys.ts";
import { breaker, forProvider, hedge, providerInFlight, providerTimeouts, retry } from "./resilience-schema.ts";
import { count, countOr, duration, flag, optionalCount, ratio } from "./scalar-keys.ts";
import { section, type Fields } from "./section.ts";
import { optionalPatternText, optionalText, optionalUrl, path, patternText, secret, text, url } from "./text-keys.ts";

const restart = { restart: true } as const;
const overridable = { overridable: true } as const;

const LISTEN =
  /^(unix:.+|(\[[0-9a-fA-F:.%]+\]|[^\s:[\]/]*):(\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5]))$/;
const LISTEN_ALLOWED = '"HOST:PORT" or "unix:/path"';

/** Routes that can be passed on to the provider unread. */
export const PASSTHROUGH_ROUTES = [
  "embeddings",
  "moderations",
  "audio",
  "images",
  "files",
  "batches",
  "message_batches",
  "completions",
  "stored_completions",
] as const;

/** Request headers that override the policy, without their `x-arouter-`. */
export const OVERRIDE_HEADERS = [
  "model",
  "rule",
  "no-route",
  "fallback-chain",
  "validate",
  "heal",
  "retry",
  "hedge",
  "timeout",
  "ttft-timeout",
  "idle-timeout",
  "tags",
  "strict",
  "explain",
  "dry-run",
] as const;

/** The tables and keys of the file, in the order in which they are documented. */
export const SCHEMA = {
  listen_addr: patternText(
    "127.0.0.1:8080",
    LISTEN,
    LISTEN_ALLOWED,
    'Where the gateway listens; `"unix:/path"` for a socket.',
    restart,
  ),
  server: section("The HTTP server.", {
    workers: countOr(
      1,
      "auto",
      'Processes that share the port; `"auto"`: one for each core that may be used. More than 1 needs Linux, and `HOST:PORT` for every address. `max_in_flight`, `provider_in_flight`, `queue_depth` and `rss_bytes` of `[limits]` are divided among them.',
      restart,
    ),
    allowed_origins: list([], "Origins of browsers that may call the gateway (CORS) and POST to it."),
    allowed_hosts: list([], "Further `Host` names that are answered on a loopback address."),
    tls: {
      node: "optional-section",
      doc: "Certificate and key, PEM. Unset: plain HTTP.",
      keys: { cert_file: path("Certificate chain.", restart), key_file: path("Private key.", restart) },
    },
  }),
  auth: section("Who may call. Without keys the gateway is open to whoever reaches it.", {
    keys: textTable('Callers: a name = `"sha256:HEX"` of the key, or `"${NAME}"` for a key in the environment.'),
    keys_file: path("File of further callers, `name = key` on each line."),
    public: list(["/livez", "/readyz", "/healthz", "/metrics"], "Paths that need no key."),
  }),
  router: section("Which model answers.", {
    policy_file: path("The policy: a file, or a folder of `*.yaml`. Unset: every request goes through untouched."),
    overrides: wordOrList(
      "all",
      ["all", "none"],
      OVERRIDE_HEADERS,
      "Headers by which callers may override the policy, without their `x-arouter-`.",
    ),
    passthrough: list(["embeddings", "moderations"], "Routes that are passed on unread.", {}, PASSTHROUGH_ROUTES),
    stream_usage: oneOf(
      "estimate",
      ["estimate", "request"],
      "Usage of a Chat stream whose caller did not ask for it: estimated, or asked for and withheld.",
    ),
    echo_requested_model: flag(false, "Answers name the model that was asked for instead of the one that answered."),
    upstream_auth_status: oneOf(
      502,
      [502, 401],
      "Status for a caller of the other format when the provider refuses the gateway's key.",
    ),
    models_cache: duration("5m", "How long the list of models is kept."),
  }),
  providers: section("The providers. At least one needs a key.", {
    openai: section("OpenAI, or another host of its API.", {
      api_key: secret('The key. Better `"${NAME}"` or `api_key_file` than the key itself.'),
      api_key_file: path("File that holds the key; read again when it changes. Not together with `api_key`."),
      base_url: url("https://api.openai.com/v1", "Address; `/v1` may be there or not."),
      models: list(["*"], "Globs of the models it serves; the more specific provider wins."),
      organization: optionalText("Sent as `openai-organization`."),
      project: optionalText("Sent as `openai-project`."),
      surface: oneOf(
        "auto",
        ["auto", "chat"],
        "API that translated requests use: the one that suits, or always Chat Completions.",
      ),
      reasoning_summary: oneOf("auto", ["auto", "off"], "Whether summaries of the reasoning are asked for."),
      ...forProvider,
    }),
    anthropic: section("Anthropic, or another host of its API.", {
      api_key: secret('The key. Better `"${NAME}"` or `api_key_file` than the key itself.'),
      api_key_file: path("File that holds the key; read again when it changes. Not together with `api_key`."),
      base_url: url("https://api.anthropic.com", "Address; `/v1` may be there or not."),
      models: list(["claude-*"], "Globs of the models it serves; the more specific provider wins."),
      version: text("2023-06-01", "`anthropic-version` of translated requests."),
      betas_allow: list(["*"], "Globs of the `anthropic-beta` values that callers may use."),
      betas_deny: list([], "Globs of those that are taken out; wins over `betas_allow`."),
      ...forProvider,
    }),
  }),
  translation: section("Between the two APIs.", {
    strict: flag(
      false,
      "Refuse a request that would lose or change something, instead of reporting it. A header may set it.",
      overridable,
    ),
    default_max_tokens: optionalCount(
      1,
      "Output cap where Anthropic needs one and the caller gave none; the model's maximum when unset.",
    ),
    auto_cache: flag(false, "Ask Anthropic to cache the prompt. Writes cost extra."),
    long_cache: flag(false, "Turn one-hour cache markers into OpenAI's twelve hours."),
    allow_fast: flag(false, "Pass on requests for the fast tier, which costs more."),
    web_search: flag(true, "Pass on web search."),
    server_tools: oneOf("drop", ["drop", "reject"], "Tools of one provider that the other lacks."),
    reasoning_headroom: count(0, { min: 0 }, "Output tokens added for reasoning when a translated request caps them."),
    thinking_store: flag(false, "Keep thinking for an hour, for clients that lose it between turns."),
  }),
  limits: section("What one request, and all together, may take.", {
    max_attempts: count(6, { min: 1 }, "Requests to providers for one request of a client."),
    max_in_flight: count(2048, { min: 1 }, "Requests under way.", restart),
    provider_in_flight: providerInFlight,
    queue_depth: count(256, { min: 0 }, "Requests that wait for a place."),
    queue_timeout: duration("2s", "How long they wait."),
    body_bytes: count(33554432, { min: 1024 }, "A request's body, after decoding."),
    response_bytes: count(33554432, { min: 1024 }, "A buffered answer, after decoding."),
    event_bytes: count(16777216, { min: 1024 }, "One event of a stream."),
    header_bytes: count(16384, { min: 1024 }, "All headers of a request.", restart),
    header_count: count(128, { min: 8 }, "Headers of a request."),
    json_depth: count(128, { min: 1, max: 10000 }, "Nesting of a request's JSON."),
    json_nodes: count(1000000, { min: 1 }, "Values in a request's JSON."),
    schema_bytes: count(262144, { min: 1 }, "A JSON Schema that answers are validated against."),
    schema_depth: count(64, { min: 1, max: 1000 }, "Nesting of such a schema."),
    pattern_chars: count(512, { min: 1 }, "A `pattern` in such a schema."),
    stream_buffer_bytes: count(1048576, { min: 1024 }, "What is held of a stream for a client that reads slowly."),
    rss_bytes: optionalCount(1, "Memory above which requests are refused; 80 % of the cgroup's limit when unset."),
  }),
  retry,
  breaker,
  hedge,
  timeout: section("Timeouts. `0s` is none.", {
    ...providerTimeouts,
    client_write: duration("60s", "A client that takes nothing for this long is dropped."),
    client_idle: duration("75s", "An idle connection of a client is closed.", {}, "255s"),
    request_body: duration("2m", "Reading a request's body."),
  }),
  heal: section("Answers that fail validation.", {
    hold: oneOf(
      "auto",
      ["auto", "off", "preflush", "full"],
      "How much of a stream waits for its validation: nothing, its beginning, or all; `auto`: the beginning when there are validators.",
      overridable,
    ),
    preflush_bytes: count(8192, { min: 0 }, "How much `preflush` holds.", overridable),
    raw_bytes: count(2097152, { min: 1024 }, "Bytes off the wire that holding may take."),
    hold_time: duration("0s", "How long `preflush` holds; `0s`: as long as its bytes last."),
    feedback: oneOf("none", ["none", "errors"], "Whether the next model is told what was wrong.", overridable),
  }),
  stream: section("Streams to clients.", {
    keepalive: duration("15s", "A comment after this much silence; `0s`: none."),
    commit_after: duration(
      "45s",
      "A held stream sends its headers by then, below the 60 s after which many load balancers cut.",
    ),
  }),
  health: section("What `/healthz` asks the providers.", {
    timeout: duration("3s", "For one probe."),
    cache: duration("15s", "How long a result is kept."),
    slow: duration("2s", "A slower answer is `degraded`."),
  }),
  drain: section("Shutting down.", {
    delay: duration("5s", "Requests are still accepted this long after SIGTERM, so that load balancers notice."),
    timeout: duration("60s", "Then requests under way have this long to end."),
  }),
  reload: section("Taking over changed files.", {
    watch: flag(true, "Watch the files; SIGHUP works either way."),
    min_interval: duration("1s", "Least time between two reloads."),
  }),
  upstream: section("Connections to the providers.", {
    http_client: oneOf(
      "own",
      ["own", "fetch"],
      "What makes the calls: the gateway's own HTTP client, or the runtime's `fetch`.",
      restart,
    ),
    use_env_proxy: flag(false, "Obey `HTTPS_PROXY` and its like; calls then go through `fetch`.", restart),
    pool_shards: count(4, { min: 1, max: 64 }, "Connection pools of `fetch`, of 64 idle connections each.", restart),
    idle_timeout: duration("60s", "An idle connection is closed.", restart),
  }),
  telemetry: section("Traces by OTLP.", {
    otlp_endpoint: optionalUrl("Collector, such as `http://localhost:4317`. Unset: no traces.", restart),
    otlp_protocol: oneOf("auto", ["auto", "http", "grpc"], "`auto`: port 4317 is gRPC.", restart),
    otlp_headers: textTable("Headers for the collector.", restart),
    service_name: text("arouter", "`service.name` of the traces.", restart),
    sample_ratio: ratio(1, "Share of the requests traced that come without a sampled parent.", restart),
    capture_content: flag(false, "Put prompts and answers into spans.", restart),
    queue_size: count(2048, { min: 1 }, "Spans that wait to be sent.", restart),
  }),
  metrics: section("Prometheus metrics at `/metrics`.", {
    enabled: flag(true, "Whether there are any."),
    listen_addr: optionalPatternText(LISTEN, LISTEN_ALLOWED, "A port of their own; the main one when unset.", restart),
  }),
  log: section("The log.", {
    level: oneOf("info", ["debug", "info", "warn", "error"], "Least level that is written."),
    format: oneOf("auto", ["auto", "json", "text"], "`auto`: text on a terminal, else JSON."),
    access: flag(true, "A line for each request."),
    file: path("Where it goes; standard output when unset."),
  }),
  ledger: section("One JSON line for each request, with its cost; no prompts or answers.", {
    file: path("Where it goes. Unset: there is none."),
    max_bytes: count(104857600, { min: 4096 }, "A file of this size is rotated."),
    keep: count(5, { min: 0 }, "Rotated files kept."),
    requests: flag(false, "Keep the requests' bodies too, so that `arouter replay` can decide everything."),
  }),
  dashboard: section("The dashboard at `/dashboard`.", {
    enabled: oneOf("auto", ["auto", true, false], "`auto`: on a loopback address, or when `[auth]` is on."),
  }),
  catalog: section("What models can do and cost, laid over the built-in catalog.", {
    file: path("JSON in the shape that `arouter models --json` prints."),
    models: rawTable(
      'One model, laid over both: `[catalog.models."NAME"]`, in the fields that `arouter models --json` prints.',
      {
        type: "object",
        additionalProperties: { type: "object" },
      },
    ),
  }),
} as const satisfies Fields;
