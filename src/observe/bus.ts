/** Hands each event to every observer that wants it. One that throws is counted, never felt by the pipeline. */
import type { Emit, GatewayEvent, Observer } from "../base/events.ts";

export interface Bus {
  readonly emit: Emit;
  readonly subscribe: (observer: Observer) => void;
  /** Throws so far, by observer. */
  readonly failures: () => ReadonlyMap<string, number>;
  /** Flushes every observer, at most `limitMs` together. */
  readonly close: (limitMs: number) => Promise<void>;
}

export function createBus(after: (delayMs: number, run: () => void) => () => void): Bus {
  const observers: Observer[] = [];
  /** Filled as types come up. */
  const byType = new Map<GatewayEvent["type"], readonly Observer[]>();
  const failures = new Map<string, number>();
  const fail = (name: string): void => void failures.set(name, (failures.get(name) ?? 0) + 1);
  const wanting = (type: GatewayEvent["type"]): readonly Observer[] => {
    const found = observers.filter(({ events }) => events === undefined || events.includes(type));
    byType.set(type, found);
    return found;
  };
  return {
    emit: (event: GatewayEvent) => {
      for (const observer of byType.get(event.type) ?? wanting(event.type)) {
        try {
          observer.observe(event);
        } catch {
          fail(observer.name);
        }
      }
    },
    subscribe: (observer) => {
      observers.push(observer);
      byType.clear();
    },
    failures: () => failures,
    close: async (limitMs) => {
      let cancel = (): void => undefined;
      const limit = new Promise<void>((resolve) => {
        cancel = after(limitMs, resolve);
      });
      const flushes = observers.map(async (observer) => {
        try {
          await observer.close?.();
        } catch {
          fail(observer.name);
        }
      });
      await Promise.race([Promise.all(flushes), limit]);
      cancel();
    },
  };
}
