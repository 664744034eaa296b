/** One request, explained: what was seen, which rules were tried, what was asked of whom, and what it cost. */
import { drawing, element } from "./dom.js";
import { clock, count, dollars, duration } from "./format.js";

function show(value) {
  if (value === null || value === undefined) return "–";
  if (Array.isArray(value)) return value.map(show).join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function section(title, ...children) {
  return element("section", {}, element("h3", {}, title), ...children);
}

/** A list of names and values; what is not known is left out. */
function facts(entries) {
  const known = entries.filter(
    ([, value]) =>
      value !== null && value !== undefined && value !== "" && !(Array.isArray(value) && value.length === 0),
  );
  return element(
    "dl",
    { class: "facts-list" },
    ...known.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, show(value))]),
  );
}

function table(label, headings, rows) {
  return element(
    "div",
    { class: "scroll", tabindex: "0", role: "group", "aria-label": label },
    element(
      "table",
      {},
      element("thead", {}, element("tr", {}, ...headings.map((heading) => element("th", { scope: "col" }, heading)))),
      element(
        "tbody",
        {},
        ...rows.map((cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, show(cell))))),
      ),
    ),
  );
}

const RULE_MARKS = {
  matched: "✓ matched",
  forced: "✓ forced by x-arouter-rule",
  failed: "✗",
  "not-reached": "not reached",
};

function rulesSection(rules) {
  if (!Array.isArray(rules))
    return section(
      "Rules",
      element("p", { class: "note" }, "It was decided by another policy than the one in force, or not at all."),
    );
  if (rules.length === 0) return section("Rules", element("p", { class: "note" }, "The policy has none."));
  return section(
    "Rules, first match wins",
    element(
      "ol",
      { class: "rules" },
      ...rules.map(({ rule, result, why }) =>
        element(
          "li",
          { class: result },
          element("b", {}, rule),
          " ",
          element("span", {}, result === "failed" ? `${RULE_MARKS.failed} ${why ?? ""}` : RULE_MARKS[result]),
        ),
      ),
    ),
  );
}

const TIMELINE_WIDTH = 600;
const ROW = 20;

/** Attempts as bars over the time of the request, the first token as a notch. */
function timeline(attempts, totalMs) {
  const longest = Math.max(totalMs ?? 0, ...attempts.map(({ started_ms: from, ms }) => from + (ms ?? 0)), 1);
  const x = (value) => (value / longest) * TIMELINE_WIDTH;
  const bars = attempts.flatMap(({ started_ms: from, ttft_ms: first, ms, class: name }, index) => [
    drawing("rect", {
      class: name === "ok" ? "bar ok" : name === "aborted" ? "bar aborted" : "bar failed",
      x: x(from),
      y: index * ROW + 4,
      width: Math.max(2, x(ms ?? longest - from)),
      height: ROW - 8,
      rx: 2,
    }),
    ...(first === null
      ? []
      : [
          drawing("line", {
            class: "notch",
            x1: x(from + first),
            x2: x(from + first),
            y1: index * ROW + 2,
            y2: (index + 1) * ROW - 2,
          }),
        ]),
  ]);
  return drawing(
    "svg",
    {
      class: "timeline",
      viewBox: `0 0 ${TIMELINE_WIDTH} ${attempts.length * ROW}`,
      role: "img",
      "aria-label": "Attempts over time; the table below has the figures.",
    },
    ...bars,
  );
}

function attemptsSection(request) {
  const detailed = request.detail?.attempts;
  const attempts = detailed ?? request.attempts ?? [];
  if (attempts.length === 0) return section("Attempts", element("p", { class: "note" }, "Nobody was asked."));
  const rows = attempts.map((attempt, index) => [
    attempt.number ?? index + 1,
    attempt.model,
    attempt.provider,
    [
      attempt.class,
      attempt.status ?? "",
      attempt.leg === "hedge" ? "hedge" : "",
      attempt.retry > 0 ? `retry ${attempt.retry}` : "",
      attempt.failure ?? "",
    ]
      .filter((part) => part !== "")
      .join(" · "),
    attempt.started_ms === undefined ? null : duration(attempt.started_ms),
    duration(attempt.ttft_ms),
    duration(attempt.ms),
    dollars(attempt.cost_usd),
  ]);
  return section(
    "Attempts",
    ...(detailed === undefined ? [] : [timeline(attempts, request.ms)]),
    table("Attempts", ["#", "Model", "Provider", "Outcome", "Start", "First token", "Time", "Cost"], rows),
  );
}

function tokensOf(attempts) {
  const usages = attempts.map(({ usage }) => usage).filter((usage) => usage !== null && usage !== undefined);
  const sum = (...names) =>
    usages.reduce((all, usage) => all + names.reduce((part, name) => part + (usage[name] ?? 0), 0), 0);
  return usages.length === 0
    ? null
    : `${count(sum("input", "cache_read", "cache_write", "cache_write_long"))} in, ${count(sum("output"))} out${usages.some(({ source }) => source === "estimated") ? " (estimated)" : ""}`;
}

/** The children of the dialog for one request. */
export function renderDetail(request) {
  const detail = request.detail ?? {};
  return [
    section(
      "Answer",
      facts([
        ["id", request.id],
        ["time", `${request.time} (${clock(request.time)} here)`],
        ["trace", request.trace],
        ["route", detail.route ?? request.route],
        ["format", `${request.format ?? "–"}${request.stream ? ", streamed" : ""}`],
        ["outcome", `${request.outcome}${request.status === null ? "" : ` · ${request.status}`}`],
        ["error", request.error],
        ["message", detail.error_message],
        ["asked for", detail.model_requested ?? request.facts?.model_requested ?? request.facts?.model],
        ["answered by", request.model === null ? null : `${request.model} · ${request.provider}`],
        ["healing", request.heal],
        ["validation", request.validation],
        ["chain", detail.chain?.map(({ model, result }) => `${model}=${result}`)],
        ["key", detail.key],
        ["client", detail.user_agent],
        ["caller's id", detail.client_request_id],
        ["dropped", request.dropped],
        ["adapted", request.adapted],
        ["tags", Object.entries(request.tags ?? {}).map(([name, value]) => `${name}=${value}`)],
      ]),
    ),
    section(
      "Cost and time",
      facts([
        ["tokens", tokensOf(request.attempts ?? [])],
        ["cost", dollars(request.cost_usd)],
        ["saved", dollars(request.saved_usd)],
        ["total", duration(request.ms)],
        ["first token", duration(request.ttft_ms)],
        ["gateway's own", duration(request.overhead_ms)],
      ]),
    ),
    attemptsSection(request),
    rulesSection(request.rules),
    section(
      "Decision",
      facts([["rule", request.rule ?? "none"], ["policy", request.policy], ...Object.entries(request.decision ?? {})]),
    ),
    section("Facts", facts(Object.entries(request.facts ?? {}))),
  ];
}
