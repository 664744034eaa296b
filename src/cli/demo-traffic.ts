/** Traffic for a demonstration: requests at a steady rate, few at a time, until it is told to stop; and what they saved. */
import type { Clock } from "../base/clock.ts";
import type { NamedFigures } from "../observe/live.ts";
import { demoRequest, type DemoRequest } from "./demo-requests.ts";
import { renderTable } from "./table.ts";

export interface TrafficOptions {
  readonly clock: Clock;
  readonly url: string;
  /** How many; null: until it is stopped. */
  readonly requests: number | null;
  /** Called when all have been answered; never after a stop. */
  readonly onDone: () => void;
}

/** Between the starts of two requests, on average. */
const INTERVAL_MS = 120;
const MAX_IN_FLIGHT = 12;

/** Starts sending; the returned function stops it and resolves once nothing is in flight. */
export function startTraffic({ clock, url, requests, onDone }: TrafficOptions): () => Promise<void> {
  const abort = new AbortController();
  let sent = 0;
  let inFlight = 0;
  let cancel = (): void => undefined;
  let settled: (() => void) | null = null;

  const settle = (): void => {
    inFlight -= 1;
    if (inFlight > 0) return;
    settled?.();
    if (sent === requests && !abort.signal.aborted) onDone();
  };
  const next = (): void => {
    if (inFlight < MAX_IN_FLIGHT) {
      inFlight += 1;
      void send(url, demoRequest(sent), abort.signal).finally(settle);
      sent += 1;
    }
    // A crowd arrives unevenly.
    if (sent !== requests) cancel = clock.after(INTERVAL_MS * 2 * clock.random(), next);
  };
  next();
  return () => {
    cancel();
    abort.abort();
    return inFlight === 0 ? Promise.resolve() : new Promise((resolve) => (settled = resolve));
  };
}

/** Sends one request and reads its answer to the end. Failures are part of the show. */
async function send(url: string, { path, headers, body }: DemoRequest, signal: AbortSignal): Promise<void> {
  try {
    const response = await fetch(url + path, {
      method: "POST",
      headers: { ...headers, "user-agent": "arouter-demo" },
      body: JSON.stringify(body),
      signal,
      proxy: false,
    } as RequestInit);
    await response.arrayBuffer();
  } catch {
    // The gateway counts what went wrong; there is nobody to tell here.
  }
}

/** What every rule has cost and saved, as a table for the terminal. */
export function renderSavings(rules: readonly NamedFigures[]): string {
  const total = (read: (figures: NamedFigures) => number): number => rules.reduce((sum, rule) => sum + read(rule), 0);
  const row = (name: string, requests: number, cost: number, saved: number): readonly string[] => [
    name,
    String(requests),
    usd(cost),
    usd(saved),
    cost + saved <= 0 ? "" : `${((saved / (cost + saved)) * 100).toFixed(1)} %`,
  ];
  const ordered = rules.toSorted((a, b) => b.savedUsd - a.savedUsd || a.name.localeCompare(b.name));
  return renderTable(
    [
      ["rule", "requests", "cost", "saved", "saved of"],
      ...ordered.map((rule) =>
        row(rule.name === "none" ? "(no rule)" : rule.name, rule.requests, rule.costUsd, rule.savedUsd),
      ),
      row(
        "total",
        total((rule) => rule.requests),
        total((rule) => rule.costUsd),
        total((rule) => rule.savedUsd),
      ),
    ],
    new Set(["requests", "cost", "saved", "saved of"]),
  );
}

function usd(value: number): string {
  const text = `$${Math.abs(value).toFixed(6)}`;
  return value < 0 ? `-${text}` : text;
}
