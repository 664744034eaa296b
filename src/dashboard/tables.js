/** The tables: providers, models, rules and the last requests. Rows stay where they are, only what changed is written. */
import { element, keepInLine, setAttribute, setText } from "./dom.js";
import { clock, count, dollars, duration } from "./format.js";

/** Fills `table` with rows of cells; a cell is a text, or `{ text, class, label }`. The first is the row's heading. */
function fillTable(table, items, keyOf, cellsOf) {
  keepInLine(
    table.tBodies[0],
    items,
    keyOf,
    (item) =>
      element(
        "tr",
        {},
        ...cellsOf(item).map((_, index) => element(index === 0 ? "th" : "td", index === 0 ? { scope: "row" } : {})),
      ),
    (row, item) => {
      cellsOf(item).forEach((cell, index) => {
        const { text, class: name, title } = typeof cell === "string" ? { text: cell } : cell;
        const node = row.children[index];
        setText(node, text);
        setAttribute(node, "class", name ?? null);
        setAttribute(node, "title", title ?? null);
      });
    },
  );
}

const number = (text) => ({ text, class: "number" });

/** Signed dollars: saved or lost is told by the sign and by the color. */
function signed(value) {
  if (value === null || value === undefined) return number("–");
  return { text: dollars(value), class: value < 0 ? "number lost" : value > 0 ? "number saved" : "number" };
}

const NOTHING = { requests: 0, errors: 0, tokens_input: 0, tokens_output: 0, cost_usd: 0, saved_usd: 0 };

function byName(rows) {
  const map = new Map(rows.map((row) => [row.name, row]));
  return (name) => map.get(name) ?? NOTHING;
}

const HEALTH = {
  ok: ["ok", "good"],
  degraded: ["degraded", "warn"],
  auth_failed: ["key refused", "bad"],
  down: ["down", "bad"],
};
const BREAKER = { closed: ["closed", "good"], half_open: ["half open", "warn"], open: ["open", "bad"] };

function state([text, level]) {
  return { text, class: `state ${level}` };
}

export function showProviders(table, { providers, by }) {
  const find = byName(by.provider);
  const rows = providers.flatMap(({ name, configured, status, breaker, in_flight, models }) => {
    const figures = find(name);
    const own = {
      key: name,
      cells: [
        name,
        configured ? state(HEALTH[status] ?? ["not asked yet", "none"]) : state(["no key", "none"]),
        configured ? state(BREAKER[breaker]) : "",
        number(configured ? count(in_flight) : ""),
        number(count(figures.requests)),
        number(count(figures.errors)),
        number(dollars(figures.cost_usd)),
      ],
    };
    const below = models.map((model) => ({
      key: `${name}\n${model.model}`,
      cells: [`${name} · ${model.model}`, "", state(BREAKER[model.state]), "", "", "", ""],
    }));
    return [own, ...below];
  });
  fillTable(
    table,
    rows,
    ({ key }) => key,
    ({ cells }) => cells,
  );
}

export function showModels(table, { by }) {
  const rows = by.model.toSorted((a, b) => b.cost_usd - a.cost_usd || b.requests - a.requests);
  fillTable(
    table,
    rows,
    ({ name }) => name,
    (row) => [
      row.name,
      number(count(row.requests)),
      number(count(row.errors)),
      number(count(row.tokens_input)),
      number(count(row.tokens_output)),
      number(dollars(row.cost_usd)),
      signed(row.saved_usd),
    ],
  );
}

/** A setting of a rule without the signs of JSON. */
function inWords(value) {
  if (Array.isArray(value)) return value.map(inWords).join(", ");
  if (typeof value !== "object" || value === null) return String(value);
  return Object.entries(value)
    .map(([key, part]) => `${key} ${inWords(part)}`)
    .join(", ");
}

export function showRules(table, { policy, by }) {
  const find = byName(by.rule);
  const known = new Set(policy.rules.map(({ name }) => name));
  const rules = [
    ...policy.rules,
    // Requests that no rule matched, and rules that a reload took away.
    ...by.rule.filter(({ name }) => !known.has(name)).map(({ name }) => ({ name, when: [], model: null })),
  ];
  fillTable(
    table,
    rules,
    ({ name }) => name,
    ({ name, when, model, validate = [], fallback_chain: chain = [], settings = {} }) => {
      const figures = find(name);
      const then = [
        ...(model === null ? [] : [model]),
        ...(validate.length === 0 ? [] : [`validated: ${validate.join(", ")}`]),
        ...(chain.length === 0 ? [] : [`else ${chain.join(", ")}`]),
        ...Object.entries(settings).map(([key, value]) => `${key}: ${inWords(value)}`),
      ];
      const isGone = !known.has(name);
      return [
        isGone && name === "none" ? "no rule" : name,
        { text: when.join(" · ") || (isGone ? "" : "always"), class: "wrap" },
        { text: then.join(" · ") || "as asked for", class: "wrap" },
        number(count(figures.requests)),
        number(count(figures.errors)),
        number(dollars(figures.cost_usd)),
        signed(figures.saved_usd),
      ];
    },
  );
}

function outcomeOf({ outcome, status, error, heal }) {
  const isFine = outcome === "complete" || outcome === "client_gone";
  const text = [status ?? "", error ?? (outcome === "complete" ? "" : outcome), heal ?? ""]
    .filter((part) => part !== "")
    .join(" ");
  return state([text, isFine ? (heal === null ? "good" : "warn") : "bad"]);
}

/** `open` is called with the id of the request whose button was pressed. */
export function showRecent(table, { recent }, open) {
  keepInLine(
    table.tBodies[0],
    recent,
    ({ id }) => id,
    (item) => {
      const button = element("button", { type: "button", class: "row" }, clock(item.time));
      setAttribute(
        button,
        "aria-label",
        `Open the request of ${clock(item.time)} to ${item.model_requested ?? item.format ?? ""}`,
      );
      button.addEventListener("click", () => open(item.id));
      const cells = [
        item.rule ?? "no rule",
        item.model_requested ?? "–",
        item.model ?? "–",
        outcomeOf(item),
        number(item.stream ? duration(item.ttft_ms) : "–"),
        number(duration(item.ms)),
        number(dollars(item.cost_usd)),
        signed(item.saved_usd),
      ].map((cell) => (typeof cell === "string" ? { text: cell } : cell));
      const row = element(
        "tr",
        {},
        element("th", { scope: "row" }, button),
        ...cells.map(({ text, class: name }) => element("td", name === undefined ? {} : { class: name }, text)),
      );
      // The whole row answers to a click; keys use its button.
      row.addEventListener("click", (event) => {
        if (!(event.target instanceof HTMLButtonElement)) open(item.id);
      });
      return row;
    },
    () => undefined,
  );
}
