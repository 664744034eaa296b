/** The load generator, a process of its own: takes orders over IPC, checks every answer, tells what it took. */
import { createCheck } from "./answers.ts";
import { type HttpClient, openClient, renderRequest } from "./http-client.ts";
import { firstTextOf } from "./upstream-answers.ts";
import { PATHS, requestBody, workloadById } from "./workloads.ts";

export interface Order {
  readonly port: number;
  readonly workload: string;
  /** Ask in the client's format and expect answers in it; else in the upstream's. */
  readonly translated: boolean;
  /** Model asked for; unset: the first one of the workload. */
  readonly model?: string;
  /** Of a peer: what its paths begin with, and that what its answers say counts, not their bytes. */
  readonly peerPath?: string;
  /** Leave in the middle: every request is on a connection of its own, which is closed this long after it was sent. */
  readonly abandonMs?: number;
  readonly connections: number;
  /** New requests are begun for this long; 0: one on each connection. */
  readonly durationMs: number;
  /** And until there have been so many; unset: 0. */
  readonly leastRequests?: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly elapsedMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** To the first text of a stream, not to the events before it that carry none; to the first byte of any other answer. */
  readonly firstP50Ms: number;
  /** The first wrong answer; null when all were right. */
  readonly failure: string | null;
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function render(order: Order): Uint8Array {
  const workload = workloadById(order.workload);
  const dialect = order.translated ? workload.client : workload.upstream;
  const headers = {
    "content-type": "application/json",
    authorization: "Bearer sk-bench",
    "user-agent": "OpenAI/Python 2.8.0",
    ...(dialect === "messages" ? { "anthropic-version": "2023-06-01" } : {}),
  };
  const path = `${order.peerPath ?? ""}${PATHS[dialect]}`;
  return renderRequest(path, headers, requestBody(workload, dialect, workload.upstream, order.model));
}

/** Begins requests and leaves; none of them has an answer, so none has a time. */
async function abandon(order: Order, afterMs: number): Promise<LoadResult> {
  const request = render(order);
  let requests = 0;
  const startMs = performance.now();
  const work = async (): Promise<void> => {
    do {
      const client = await openClient(order.port);
      const answered = client.send(request).catch(() => null);
      await Bun.sleep(afterMs);
      client.abort();
      await answered;
      requests += 1;
    } while (performance.now() - startMs < order.durationMs);
  };
  await Promise.all(Array.from({ length: order.connections }, work));
  return { requests, elapsedMs: performance.now() - startMs, p50Ms: 0, p99Ms: 0, firstP50Ms: 0, failure: null };
}

async function run(order: Order): Promise<LoadResult> {
  if (order.abandonMs !== undefined) return abandon(order, order.abandonMs);
  const workload = workloadById(order.workload);
  const request = render(order);
  const check = createCheck(workload, order.translated, order.peerPath !== undefined);
  const totals: number[] = [];
  const firsts: number[] = [];
  const { leastRequests = 0 } = order;
  let failure: string | null = null;

  const firstText = workload.pace === null ? "" : firstTextOf(workload);
  const opened = await Promise.all(Array.from({ length: order.connections }, () => openClient(order.port, firstText)));
  const startMs = performance.now();
  const work = async (client: HttpClient): Promise<void> => {
    do {
      const { status, body, firstMs, totalMs } = await client.send(request);
      failure ??= check(status, body);
      totals.push(totalMs);
      firsts.push(firstMs);
    } while (failure === null && (performance.now() - startMs < order.durationMs || totals.length < leastRequests));
  };
  await Promise.all(opened.map(work)).catch((error: unknown) => {
    failure ??= error instanceof Error ? error.message : String(error);
  });
  const elapsedMs = performance.now() - startMs;
  for (const client of opened) client.close();
  totals.sort((a, b) => a - b);
  firsts.sort((a, b) => a - b);
  return {
    requests: totals.length,
    elapsedMs,
    p50Ms: quantile(totals, 0.5),
    p99Ms: quantile(totals, 0.99),
    firstP50Ms: quantile(firsts, 0.5),
    failure,
  };
}

process.on("message", (order: Order) => {
  run(order).then(
    (result) => process.send?.(result),
    (error: unknown) =>
      process.send?.({ requests: 0, elapsedMs: 0, p50Ms: 0, p99Ms: 0, firstP50Ms: 0, failure: String(error) }),
  );
});
