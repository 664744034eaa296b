/** Keeps the page up to date: asks for the figures every two seconds while somebody looks. */
import { createCharts } from "./charts.js";
import { renderDetail } from "./detail.js";
import { element, keepInLine, setAttribute, setText } from "./dom.js";
import { count, dollars, duration, elapsed } from "./format.js";
import { showModels, showProviders, showRecent, showRules } from "./tables.js";

const REFRESH_MS = 2000;
const YOUNG_MS = 300_000;
/** Colors there are; further names share the last, a grey. */
const SLOTS = 8;

const byId = (id) => document.getElementById(id);
const choices = byId("choices");
const drawCharts = createCharts(byId("charts"));

let isPaused = false;
let timer = null;
let asked = 0;
let isFirst = true;

function choice(name) {
  return new FormData(choices).get(name) ?? "";
}

function showTotals({ totals, window: view }) {
  const asSaved = totals.cost_usd + totals.saved_usd;
  const share =
    asSaved > 0 ? `${((totals.saved_usd / asSaved) * 100).toFixed(0)} % of ${dollars(asSaved)}` : "nothing spent yet";
  const rate = totals.requests === 0 ? "" : `${((totals.errors / totals.requests) * 100).toFixed(1)} %`;
  const tiles = [
    {
      key: "saved_usd",
      label: totals.saved_usd < 0 ? "Lost" : "Saved",
      value: totals.saved_usd,
      text: dollars(totals.saved_usd),
      note: share,
    },
    { key: "cost_usd", label: "Cost", value: totals.cost_usd, text: dollars(totals.cost_usd), note: "all attempts" },
    { key: "requests", label: "Requests", value: totals.requests, text: count(totals.requests), note: "" },
    { key: "errors", label: "Errors", value: totals.errors, text: count(totals.errors), note: rate },
    { key: "tokens_input", label: "Tokens in", value: totals.tokens_input, text: count(totals.tokens_input), note: "" },
    {
      key: "tokens_output",
      label: "Tokens out",
      value: totals.tokens_output,
      text: count(totals.tokens_output),
      note: "",
    },
    {
      key: "latency",
      label: "Latency, median",
      value: view.latency_ms.p50,
      text: duration(view.latency_ms.p50),
      note: `95 %: ${duration(view.latency_ms.p95)} · ${view.name}`,
    },
    {
      key: "ttft",
      label: "TTFT, median",
      value: view.ttft_ms.p50,
      text: duration(view.ttft_ms.p50),
      note: `95 %: ${duration(view.ttft_ms.p95)} · ${view.name}`,
    },
  ];
  keepInLine(
    byId("totals"),
    tiles,
    ({ key }) => key,
    ({ key }) =>
      element(
        "div",
        { class: `tile ${key}` },
        element("dt"),
        element("dd", { class: "value" }),
        element("dd", { class: "note" }),
      ),
    (tile, { label, value, text, note }) => {
      const [name, shown, below] = tile.children;
      setText(name, label);
      setText(shown, text);
      setText(below, note);
      setAttribute(shown, "data-value", value);
    },
  );
}

/** Groups with their colors. Rules keep the policy's order, other names the alphabet's, so that a color stays with its name. */
function colored({ window: view, policy }, by) {
  const order = by === "rule" ? policy.rules.map(({ name }) => name) : [];
  const place = (name) =>
    order.includes(name) ? order.indexOf(name) : order.length + (name === "none" || name === "other" ? 1 : 0);
  return view.series
    .toSorted((a, b) => place(a.name) - place(b.name) || a.name.localeCompare(b.name))
    .map((series) => {
      const at = order.indexOf(series.name);
      return { ...series, at };
    })
    .map((series, index) => {
      const slot =
        series.name === "none" || series.name === "other" ? SLOTS : by === "rule" && series.at >= 0 ? series.at : index;
      return { ...series, slot: Math.min(slot, SLOTS) };
    });
}

function showLegend(groups, by) {
  const legend = byId("legend");
  legend.hidden = by === "";
  keepInLine(
    legend,
    groups,
    ({ name }) => name,
    () => element("li", {}, element("i"), element("span")),
    (item, { name, slot }) => {
      setAttribute(item.children[0], "class", `key slot-${slot}`);
      setText(item.children[1], by === "rule" && name === "none" ? "no rule" : name);
    },
  );
}

function showState(state) {
  const by = choice("by");
  setText(byId("version"), state.version);
  setText(byId("uptime"), elapsed(state.now - state.started));
  setText(byId("policy-hash"), state.policy.hash ?? "none");
  setText(
    byId("policy-files"),
    state.policy.files.length === 0 ? "No policy file: requests go through as asked." : state.policy.files.join(", "),
  );
  showTotals(state);
  const groups = colored(state, by);
  showLegend(groups, by);
  drawCharts(state.window, groups);
  showProviders(byId("providers"), state);
  showModels(byId("models"), state);
  showRules(byId("rules"), state);
  showRecent(byId("recent"), state, openDetail);
  byId("recent-empty").hidden = state.recent.length > 0;
}

function setConnection(text, level) {
  const node = byId("connection");
  setText(node, text);
  setAttribute(node, "class", level);
}

async function refresh() {
  const mine = (asked += 1);
  const query = new URLSearchParams({ window: choice("window"), by: choice("by") });
  try {
    const answer = await fetch(`dashboard/data.json?${query}`, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const state = await answer.json();
    // A later question has its answer already, or the page was paused meanwhile.
    if (mine !== asked) return;
    showState(state);
    setConnection("live", "good");
    if (isFirst) chooseWindow(state);
  } catch (error) {
    if (mine !== asked) return;
    // The browser keeps its last figures; the console tells a developer why.
    console.warn("the figures could not be shown", error);
    setConnection("no connection, trying again", "bad");
  }
}

/** A gateway that has just started has nothing to show of ten minutes. */
function chooseWindow({ now, started }) {
  isFirst = false;
  if (now - started > YOUNG_MS) return;
  choices.elements.namedItem("window").value = "2m";
  void refresh();
}

async function keepRefreshing() {
  clearTimeout(timer);
  if (isPaused || document.hidden) return;
  await refresh();
  clearTimeout(timer);
  timer = setTimeout(keepRefreshing, REFRESH_MS);
}

async function openDetail(id) {
  const dialog = byId("detail");
  const body = byId("detail-body");
  setText(body, "…");
  if (!dialog.open) dialog.showModal();
  try {
    const answer = await fetch(`arouter/requests/${encodeURIComponent(id)}`, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    body.replaceChildren(...renderDetail(await answer.json()));
  } catch {
    setText(body, "This request is no longer remembered.");
  }
}

choices.addEventListener("change", () => void refresh());
byId("pause").addEventListener("click", ({ currentTarget: button }) => {
  isPaused = !isPaused;
  setAttribute(button, "aria-pressed", isPaused);
  setText(button, isPaused ? "Go on" : "Pause");
  if (isPaused) {
    asked += 1;
    setConnection("paused", "none");
  }
  void keepRefreshing();
});
byId("detail-close").addEventListener("click", () => byId("detail").close());
// A click beside the dialog closes it, as people expect.
byId("detail").addEventListener("click", (event) => {
  if (event.target === event.currentTarget) event.currentTarget.close();
});
document.addEventListener("visibilitychange", () => void keepRefreshing());
void keepRefreshing();
