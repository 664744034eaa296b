/** Charts of the rolling figures: stacked bars for amounts, lines for durations. Each can be read by mouse, keys and ears. */
import { drawing, element, keepInLine, setAttribute, setText } from "./dom.js";
import { clock, count, dollars, duration, short } from "./format.js";

const WIDTH = 320;
const HEIGHT = 140;
const LEFT = 46;
const RIGHT = 8;
const TOP = 10;
const BOTTOM = 22;
/** Between the segments of a stack, and between bars. */
const GAP = 1;

const CHARTS = [
  { key: "requests", title: "Requests", kind: "bars", format: count },
  { key: "errors", title: "Errors", kind: "bars", format: count },
  { key: "cost_usd", title: "Cost", kind: "bars", format: dollars },
  { key: "saved_usd", title: "Saved", kind: "bars", format: dollars },
  { key: "tokens_input", title: "Tokens in", kind: "bars", format: count },
  { key: "tokens_output", title: "Tokens out", kind: "bars", format: count },
  { key: "latency_p95_ms", title: "Latency, 95th percentile", kind: "lines", format: duration },
  { key: "ttft_p95_ms", title: "Time to first token, 95th percentile", kind: "lines", format: duration },
];

/** A round number at or above `value`. */
function roundUp(value) {
  if (value <= 0) return 0;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((step) => step * power).find((step) => step >= value * 0.999) ?? value;
}

/** Lowest and highest value to be drawn. */
function boundsOf(kind, rows) {
  let high = 0;
  let low = 0;
  const steps = rows[0]?.length ?? 0;
  for (let index = 0; index < steps; index += 1) {
    const values = rows.map((row) => row[index] ?? 0);
    if (kind === "lines") high = Math.max(high, ...values);
    else {
      high = Math.max(
        high,
        values.reduce((sum, value) => sum + Math.max(0, value), 0),
      );
      low = Math.min(
        low,
        values.reduce((sum, value) => sum + Math.min(0, value), 0),
      );
    }
  }
  return { high: roundUp(high), low: -roundUp(-low) };
}

/** Paths of stacked bars, one for each row; what is negative hangs below the zero line. */
function barPaths(rows, x, y, barWidth) {
  const paths = rows.map(() => "");
  const steps = rows[0]?.length ?? 0;
  for (let index = 0; index < steps; index += 1) {
    let above = 0;
    let below = 0;
    rows.forEach((row, series) => {
      const value = row[index] ?? 0;
      if (value === 0) return;
      const from = value > 0 ? above : below;
      const to = from + value;
      if (value > 0) above = to;
      else below = to;
      const [top, bottom] = value > 0 ? [y(to), y(from)] : [y(from), y(to)];
      const height = Math.max(0.75, bottom - top - (from === 0 ? 0 : GAP));
      paths[series] +=
        `M${x(index).toFixed(1)} ${(value > 0 ? top : top + (from === 0 ? 0 : GAP)).toFixed(1)}h${barWidth.toFixed(1)}v${height.toFixed(1)}h-${barWidth.toFixed(1)}z`;
    });
  }
  return paths;
}

/** Paths of lines; a step without a value breaks the line, a lone one is a dot. */
function linePaths(rows, x, y, barWidth) {
  return rows.map((row) => {
    let path = "";
    row.forEach((value, index) => {
      if (value === null) return;
      const point = `${(x(index) + barWidth / 2).toFixed(1)} ${y(value).toFixed(1)}`;
      const hasNext = row[index + 1] !== null && row[index + 1] !== undefined;
      if (index > 0 && row[index - 1] !== null) path += `L${point}`;
      else path += hasNext ? `M${point}` : `M${point}h0.01`;
    });
    return path;
  });
}

function createChart({ key, title, kind, format }) {
  const grid = [0, 1, 2].map(() => drawing("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT }));
  const ticks = [0, 1, 2].map(() =>
    drawing("text", { class: "tick", x: LEFT - 6, "text-anchor": "end", dy: "0.32em" }),
  );
  const times = ["start", "middle", "end"].map((anchor, index) =>
    drawing("text", {
      class: "tick",
      y: HEIGHT - 6,
      x: LEFT + ((WIDTH - RIGHT - LEFT) * index) / 2,
      "text-anchor": anchor,
    }),
  );
  const series = drawing("g", { class: kind });
  const cursor = drawing("line", { class: "cursor", y1: TOP, y2: HEIGHT - BOTTOM, visibility: "hidden" });
  const picture = drawing(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", tabindex: "0" },
    ...grid,
    series,
    cursor,
    ...ticks,
    ...times,
  );
  const sum = element("span", { class: "sum" });
  const tip = element("div", { class: "tip", hidden: "" });
  const spoken = element("p", { class: "spoken", "aria-live": "polite" });
  const figure = element(
    "figure",
    { id: `chart-${key}` },
    element("figcaption", {}, element("span", {}, title), sum),
    picture,
    tip,
    spoken,
  );
  let state = null;
  let index = null;

  const point = (next, isSpoken) => {
    index = next;
    if (state === null || index === null) {
      setAttribute(cursor, "visibility", "hidden");
      tip.hidden = true;
      return;
    }
    const { groups, start, step, x, barWidth } = state;
    const at = clock(start + index * step);
    const values = groups
      .map((group) => ({ name: group.name, slot: group.slot, value: group[key][index] }))
      .filter(({ value }) => value !== null && value !== 0);
    setAttribute(cursor, "x1", x(index) + barWidth / 2);
    setAttribute(cursor, "x2", x(index) + barWidth / 2);
    setAttribute(cursor, "visibility", "visible");
    tip.replaceChildren(
      element("div", { class: "tip-time" }, at),
      ...(values.length === 0
        ? [element("div", {}, "nothing")]
        : values.map(({ name, slot, value }) =>
            element(
              "div",
              { class: "tip-row" },
              element("i", { class: `key slot-${slot}` }),
              element("span", {}, name),
              element("b", {}, format(value)),
            ),
          )),
    );
    tip.hidden = false;
    tip.classList.toggle("tip-left", index > 30);
    tip.style.setProperty("--at", `${((x(index) + barWidth / 2) / WIDTH) * 100}%`);
    if (isSpoken) {
      setText(spoken, `${at}: ${values.map(({ name, value }) => `${name} ${format(value)}`).join(", ") || "nothing"}`);
    }
  };

  picture.addEventListener("pointermove", (event) => {
    if (state === null) return;
    const box = picture.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * WIDTH;
    const next = Math.floor((at - LEFT) / state.slotWidth);
    point(next >= 0 && next < state.steps ? next : null, false);
  });
  picture.addEventListener("pointerleave", () => point(null, false));
  picture.addEventListener("blur", () => point(null, false));
  picture.addEventListener("keydown", (event) => {
    if (state === null) return;
    const last = state.steps - 1;
    const moves = { ArrowLeft: (index ?? last + 1) - 1, ArrowRight: (index ?? -1) + 1, Home: 0, End: last };
    if (event.key === "Escape") point(null, false);
    if (!Object.hasOwn(moves, event.key)) return;
    event.preventDefault();
    point(Math.min(last, Math.max(0, moves[event.key])), true);
  });

  const update = (view, groups) => {
    const rows = groups.map((group) => group[key]);
    const steps = rows[0]?.length ?? 60;
    const { high, low } = boundsOf(kind, rows);
    const range = high - low || 1;
    const slotWidth = (WIDTH - LEFT - RIGHT) / steps;
    const barWidth = slotWidth - GAP;
    const x = (at) => LEFT + at * slotWidth;
    const y = (value) => TOP + ((high - value) / range) * (HEIGHT - TOP - BOTTOM);
    state = { groups, start: view.start_ms, step: view.step_ms, steps, x, barWidth, slotWidth };

    const levels = levelsOf(low, high, format === count);
    grid.forEach((line, at) => {
      setAttribute(line, "visibility", at < levels.length ? "visible" : "hidden");
      setAttribute(line, "class", levels[at] === 0 ? "grid zero" : "grid");
      setAttribute(line, "y1", y(levels[at] ?? 0));
      setAttribute(line, "y2", y(levels[at] ?? 0));
      setAttribute(ticks[at], "y", y(levels[at] ?? 0));
      setText(ticks[at], at < levels.length ? tickText(key, levels[at]) : "");
    });
    times.forEach((text, at) =>
      setText(text, clock(view.start_ms + (view.step_ms * steps * at) / 2, view.step_ms < 60_000)),
    );

    const paths = kind === "bars" ? barPaths(rows, x, y, barWidth) : linePaths(rows, x, y, barWidth);
    keepInLine(
      series,
      groups.map((group, at) => ({ ...group, path: paths[at] })),
      ({ name }) => name,
      () => drawing("path"),
      (path, { slot, path: d }) => {
        setAttribute(path, "class", `slot-${slot}`);
        setAttribute(path, "d", d);
      },
    );
    const total = rows.flat().reduce((all, value) => all + (value ?? 0), 0);
    const latest = kind === "bars" ? format(total) : "";
    setText(sum, latest);
    setAttribute(picture, "aria-label", describe(title, kind, format, groups, key, total));
    if (index !== null) point(index, false);
  };
  return { figure, update };
}

/** Values with a line of their own; half a request is none. */
function levelsOf(low, high, isCount) {
  if (high === 0 && low === 0) return [0];
  if (low < 0) return [high, 0, low];
  return isCount && high % 2 !== 0 && high < 10 ? [high, 0] : [high, high / 2, 0];
}

function tickText(key, value) {
  if (key.endsWith("_usd")) return value < 0 ? `−$${short(-value)}` : `$${short(value)}`;
  return key.endsWith("_ms") ? duration(value) : short(value);
}

/** What the picture shows, in words. */
function describe(title, kind, format, groups, key, total) {
  const parts = groups.map((group) => {
    const values = group[key].filter((value) => value !== null);
    if (kind === "lines") return `${group.name} at most ${values.length === 0 ? "–" : format(Math.max(...values))}`;
    return `${group.name} ${format(values.reduce((sum, value) => sum + value, 0))}`;
  });
  const head = kind === "lines" ? title : `${title}: ${format(total)} in all`;
  return `${head}. ${parts.join(", ")}. Arrow keys step through time.`;
}

/** All charts, put into `parent`; the function returned draws a window's figures. */
export function createCharts(parent) {
  const charts = CHARTS.map(createChart);
  parent.append(...charts.map(({ figure }) => figure));
  return (view, groups) => {
    for (const chart of charts) chart.update(view, groups);
  };
}
