/** Gateways that differ in something, several processes of each: how the runtime compiles a process differs by a tenth of a request. */
import type { Variant } from "./growth-report.ts";
import { median } from "./report.ts";
import type { GatewayOptions, Rig } from "./rig.ts";
import { measureRounds, type Plan, type Target } from "./rounds.ts";
import type { Workload } from "./workloads.ts";

/** The processes of one kind. */
export interface Kind {
  /** What is different in it. */
  readonly name: string;
  readonly targets: readonly Target[];
}

export async function startCopies(rig: Rig, name: string, copies: number, options: GatewayOptions): Promise<Kind> {
  const targets: Target[] = [];
  for (let copy = 1; copy <= copies; copy += 1) targets.push(await rig.startGateway(`${name} ${copy}`, options));
  return { name, targets };
}

/** CPU per request of each kind, the mean of its processes in each round, all of them in turns. @throws Error when an answer is wrong */
export async function compareKinds(
  rig: Rig,
  workload: Workload,
  connections: number,
  kinds: readonly Kind[],
  plan: Plan,
): Promise<readonly Variant[]> {
  const copies = Math.max(...kinds.map(({ targets }) => targets.length));
  // Copy by copy, so that those of a round that are compared are near each other.
  const targets = Array.from({ length: copies }, (_, copy) => kinds.flatMap((kind) => kind.targets[copy] ?? [])).flat();
  const samples = await measureRounds(rig.load, workload, connections, targets, plan);
  const means = kinds.map((kind) =>
    Array.from({ length: plan.rounds }, (_, round) => {
      const costs = kind.targets.map((target) => samples[targets.indexOf(target)]?.[round]?.cpuUs ?? Number.NaN);
      return costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
    }),
  );
  return kinds.map(({ name }, at) => {
    const ratios = means[at]?.map((cost, round) => cost / (means[0]?.[round] ?? Number.NaN)) ?? [];
    return { name, cpuUs: median(means[at] ?? []), ratio: median(ratios) };
  });
}
