/** Locks by name among the workers, in order of asking. A worker that ends lets go of all of its own. */

export interface Locks<Owner> {
  readonly lock: (owner: Owner, name: string) => void;
  readonly unlock: (owner: Owner, name: string) => void;
  readonly forget: (owner: Owner) => void;
}

/** `grant` tells an owner that it has the lock now. */
export function createLocks<Owner>(grant: (owner: Owner, name: string) => void): Locks<Owner> {
  /** First is who has it. An owner asks for a lock once at a time. */
  const queues = new Map<string, Owner[]>();
  const leave = (owner: Owner, name: string): void => {
    const queue = queues.get(name);
    const place = queue?.indexOf(owner) ?? -1;
    if (queue === undefined || place < 0) return;
    queue.splice(place, 1);
    const [next] = queue;
    if (next === undefined) queues.delete(name);
    else if (place === 0) grant(next, name);
  };
  return {
    lock: (owner, name) => {
      const queue = queues.get(name) ?? [];
      queues.set(name, queue);
      queue.push(owner);
      if (queue.length === 1) grant(owner, name);
    },
    unlock: leave,
    forget: (owner) => {
      for (const name of queues.keys()) leave(owner, name);
    },
  };
}
