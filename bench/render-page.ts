/** A report as docs/benchmarks.md. */
import { cpuGoals, firstGoals, type Goal, otherGoals, p50Goals, traceGoals } from "./goals.ts";
import type { Report } from "./report.ts";
import { cellsOf } from "./render-text.ts";

/** A table of Markdown; the first column is text, the others are figures. */
export function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = header.map((_, at) => (at === 0 ? "---" : "---:"));
  return [line(header), line(rule), ...rows.map(line)].join("\n");
}

function workloadTable({ rows }: Report, connections: number): string {
  const lines = rows
    .filter((row) => row.connections === connections)
    .map((row) => {
      const { name, cpu, ratio, perSecond, p50, p99, first } = cellsOf(rows, row);
      return [`${row.id} · ${name}`, cpu, ratio, perSecond, p50, p99, first];
    });
  return renderTable(["workload · through", "CPU µs", "× bare", "per second", "p50 ms", "p99 ms", "first ms"], lines);
}

function goalTable(what: string, is: string, goals: readonly Goal[]): string {
  return renderTable(
    [what, is, "goal", ""],
    goals.map((each) => [each.what, each.is, each.goal, each.verdict]),
  );
}

function peersNote({ peers }: Report): string {
  if (peers.length === 0) {
    return "None was on the machine of this run.";
  }
  return `In this run: ${peers.join(", ")}.`;
}

export function renderPage(report: Report): string {
  const { wave, coldStart, resident, plan, load } = report;
  const waveRows = wave.map(({ name, whole, elapsedMs, peakMb }) => [
    name,
    String(whole),
    elapsedMs.toFixed(0),
    peakMb === null ? "–" : peakMb.toFixed(0),
  ]);
  return `# Benchmarks

Written by \`bun bench/run.ts\` (\`npm run bench\`) on ${report.date}: ${report.machine}. Run it to get your own; do not edit this page.
The figures are in [benchmarks.json](benchmarks.json). How cost grows with size, rules and time: [speed.md](speed.md#how-cost-grows).

![CPU time per request of each workload as a multiple of a bare proxy's](img/benchmarks.svg)

## How it is measured

ARouter is measured with everything on (validation, a policy of 20 rules of which the last matches, circuit breaker, retry budget,
access log to a file, ledger), from source and as the compiled binary. Beside it, in the same run and in turns: the upstream asked
directly, and the least that a proxy on Bun can do, \`Bun.serve\` and \`fetch\` and nothing else (bench/proxy.ts). Streams that are translated
are compared with such a proxy that parses each event and writes it again, answers that are healed with one that makes both
calls and judges nothing. The upstream answers at once, so what is measured is the gateway alone; a model takes a thousand times as long.

The processes measured share one core, one at a time; upstream and load generator have the other. ${plan.rounds} rounds of ${plan.roundMs / 1000} s after
${plan.firstWarmUpMs / 1000} s of load on each: code is compiled as it is used, and just after its start the gateway costs several times as much.
The load of the machine was ${load.before.toFixed(1)} before and ${load.after.toFixed(1)} after; the run itself makes about 2, what is more disturbs it.
CPU is that of the whole process, per request, from the scheduler's own account. Figures are medians over the rounds; multiples are
medians of each round's own multiple, so that what slows the machine for a while slows both sides of one.
Latencies of the direct call are as they are, those of the others are what is added to it. The first of a stream is its first text: providers
begin with events that have none, which a proxy may hand on at once and ARouter holds back until there is content, as a failure before it
can still be answered with a true status (docs/resilience.md).
Every answer is checked whole: byte by byte, or, where it was translated, its text, its end and its usage. So is every request that
arrives at the upstream.

The multiple of the bare proxy is what counts; absolute figures belong to the machine.

## Summary: the compiled binary

${goalTable("64 connections", "× bare proxy's CPU", cpuGoals(report))}

W2b and W4b are the same streams when the network delivers a whole answer in one piece, as no model does: a bare proxy then copies one
piece where ARouter still reads 100 events. They are shown as the worst case. W8 and W8a ask for an answer that fits a JSON Schema: the first
model's does not, the second one's does, and that is what the client gets.

${goalTable("traces of 10 %, 64 connections", "× without", traceGoals(report))}

${goalTable("time added, median, 1 connection", "× what the bare proxy adds", p50Goals(report))}

${goalTable("time added until the first text of a stream, median, 1 connection", "× what the bare proxy adds", firstGoals(report))}

${goalTable("streams, start and memory", "", otherGoals(report))}

## 64 connections

${workloadTable(report, 64)}

## 1 connection

${workloadTable(report, 1)}

## 1,000 slow streams at once

20 chunks each, one every 100 ms, all begun together.

${renderTable(["through", "whole answers", "ms", "peak MB"], waveRows)}

## Start and memory

${renderTable(
  ["start to first 200", "ms"],
  coldStart.map(({ name, ms }) => [name, ms.toFixed(1)]),
)}

${renderTable(
  ["resident MB", "idle", "after all of the above"],
  resident.map(({ name, idleMb, afterMb }) => [name, idleMb.toFixed(0), afterMb.toFixed(0)]),
)}

## Other gateways

W1 and W2 also through gateways that run on the machine. ${peersNote(report)} To add one, give its upstream the address
\`http://127.0.0.1:9400/peer/v1\`, start it with \`taskset -c 0\`, and run

<!-- not run: it needs the other gateway, and takes a quarter of an hour -->

\`\`\`sh
bun bench/run.ts --upstream-port 9400 --peer NAME=http://127.0.0.1:PORT,PID,MODEL
\`\`\`

PID, for its CPU time with that of its children, and MODEL, its name of \`gpt-5.4-mini\`, may be left out. Its answers have to say what
the upstream said, and may say it in other bytes.

## What keeps it so

\`bun bench/run.ts --quick --gate\` is part of \`npm run verify\`: a short run whose ratios are held against what they usually are (the table
in bench/gate.ts), with a second try for a workload that is over. It names the workload that fell.
`;
}
