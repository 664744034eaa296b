/** Starts the load generator and gives it orders, one at a time. */
import { join } from "node:path";
import type { LoadResult, Order } from "./load.ts";
import { pinned, plainEnv } from "./processes.ts";

export interface Load {
  readonly run: (order: Order) => Promise<LoadResult>;
  readonly close: () => void;
}

export function openLoad(core: number): Load {
  let resolveResult: ((result: LoadResult) => void) | null = null;
  const child = Bun.spawn(pinned(core, [process.execPath, join(import.meta.dir, "load.ts")]), {
    env: plainEnv(),
    stdio: ["ignore", "inherit", "inherit"],
    ipc: (result: LoadResult) => resolveResult?.(result),
  });
  return {
    run: (order) =>
      new Promise((resolve, reject) => {
        if (child.exitCode !== null) {
          reject(new Error("the load generator has ended"));
          return;
        }
        resolveResult = resolve;
        child.send(order);
      }),
    close: () => child.kill(),
  };
}
