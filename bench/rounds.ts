/** Rounds of load on several targets in turns, so that what disturbs the machine for a while disturbs all of them. */
import type { LoadResult, Order } from "./load.ts";
import type { Load } from "./load-driver.ts";
import { SECOND_MODELS, type Workload } from "./workloads.ts";

/** One of the things that are compared. */
export interface Target {
  readonly name: string;
  readonly port: number;
  /** null: no process between client and upstream. */
  readonly pid: number | null;
  /** CPU time used so far, µs; null: not known. */
  readonly cpuUs: (() => number) | null;
  /** Speaks the client's format. */
  readonly translated: boolean;
  /** Another gateway: how its paths begin, and what it calls the model; null: as everybody. */
  readonly peer?: { readonly path: string; readonly model: string | null };
}

/** One round of one target. */
export interface Sample extends LoadResult {
  /** CPU time of the process per request, µs; null: not known. */
  readonly cpuUs: number | null;
}

export interface Plan {
  readonly rounds: number;
  readonly roundMs: number;
  /** Of load on each target before its rounds. */
  readonly warmUpMs: number;
  /** And until there have been so many requests, a tenth of it for streams; unset: 0. A busy machine takes longer to get warm. */
  readonly warmUpRequests?: number;
}

/** What the load generator is to do to `target`. */
export function orderOf(target: Target, workload: Workload, connections: number, durationMs: number): Order {
  const { port, translated, peer, pid } = target;
  // Who asks the upstream itself asks the model whose answer is right.
  const model = pid === null && workload.healed ? SECOND_MODELS[workload.upstream] : (peer?.model ?? null);
  return {
    port,
    workload: workload.id,
    translated,
    connections,
    durationMs,
    ...(model === null ? {} : { model }),
    ...(peer === undefined ? {} : { peerPath: peer.path }),
  };
}

/** Runs `order` and counts what it costs. @throws Error when an answer is wrong */
export async function measureOnce(load: Load, target: Target, workload: Workload, order: Order): Promise<Sample> {
  const before = target.cpuUs?.() ?? 0;
  const result = await load.run(order);
  if (result.failure !== null) throw new Error(`${workload.id} through ${target.name}: ${result.failure}`);
  const usedUs = target.cpuUs === null ? null : target.cpuUs() - before;
  return { ...result, cpuUs: usedUs === null ? null : usedUs / result.requests };
}

/** Samples of each target, in its order; each turn begins with another target. @throws Error when an answer is wrong */
export async function measureRounds(
  load: Load,
  workload: Workload,
  connections: number,
  targets: readonly Target[],
  plan: Plan,
): Promise<readonly (readonly Sample[])[]> {
  const samples = targets.map((): Sample[] => []);
  const { warmUpRequests = 0 } = plan;
  const leastRequests = workload.pace === null ? warmUpRequests : warmUpRequests / 10;
  for (const target of targets) {
    const order = orderOf(target, workload, connections, plan.warmUpMs);
    await measureOnce(load, target, workload, { ...order, leastRequests });
  }
  for (let round = 0; round < plan.rounds; round += 1) {
    for (let turn = 0; turn < targets.length; turn += 1) {
      // Forth and back, so that none always follows the same one.
      const step = round % 2 === 0 ? turn : targets.length - 1 - turn;
      const at = (step + round) % targets.length;
      const target = targets[at] as Target;
      const order = orderOf(target, workload, connections, plan.roundMs);
      samples[at]?.push(await measureOnce(load, target, workload, order));
    }
  }
  return samples;
}
