/**
 * The connections to one origin. The one that was free last is used first, so that the others can go; there is no limit to
 * their number but the calls there are. A call that finds none free waits for whichever comes first: one that gets free,
 * or one that is dialled for it.
 */
import type { Clock } from "../../base/clock.ts";
import type { HttpAnswer } from "../http.ts";
import { createChildAbort, followAbort, type Signal } from "../../base/abort.ts";
import type { Connection, ConnectionEvents, Exchange } from "./connection.ts";
import { failure } from "./failure.ts";

export interface ConnectionPool {
  readonly send: (exchange: Exchange) => Promise<HttpAnswer>;
  /** Closes what is idle, and gives up dials that nobody waits for; what is in use when it is over. */
  readonly close: () => void;
}

export interface ConnectionPoolOptions {
  readonly clock: Clock;
  /** Opens a connection; when `signal` aborts it rejects with its reason, and leaves nothing open. */
  readonly dial: (events: ConnectionEvents, signal: Signal) => Promise<Connection>;
  readonly idleSeconds: number;
}

/** A call that waits for a connection. */
interface Waiter {
  readonly take: (connection: Connection) => void;
  readonly fail: (error: unknown) => void;
}

/** Gives up a dial under way. */
type GiveUp = () => void;

/** A dial whose call has gone serves another one, unless it has taken as long as this already. */
const ADOPT_MS = 2000;
/** No dial takes longer than this, whatever its call would wait. */
const MAX_DIAL_MS = 10_000;

export function createConnectionPool({ clock, dial, idleSeconds }: ConnectionPoolOptions): ConnectionPool {
  const idle: Connection[] = [];
  const waiters = new Set<Waiter>();
  /** Dials under way that calls count on. */
  const usable = new Set<GiveUp>();
  /** Those that have taken too long for that, oldest first: they are for calls that have waited as long. */
  const slow = new Set<GiveUp>();
  /** Connections that proved stale: as many calls get a new one rather than another that has been idle for as long. */
  let distrust = 0;
  let isClosing = false;

  const nextWaiter = (): Waiter | null => {
    for (const waiter of waiters) {
      waiters.delete(waiter);
      return waiter;
    }
    return null;
  };

  const give = (connection: Connection): void => {
    const waiter = nextWaiter();
    if (waiter !== null) waiter.take(connection);
    else if (isClosing) connection.close();
    // One that was dialled may have been closed before it came here.
    else if (!connection.isGone()) {
      idle.push(connection);
      connection.rest(idleSeconds);
    }
  };

  const events: ConnectionEvents = {
    onFree: give,
    onGone: (connection, wasStale) => {
      const index = idle.lastIndexOf(connection);
      if (index >= 0) idle.splice(index, 1);
      if (wasStale) distrust += 1;
    },
  };

  /** Gives up the dials that no call can be waiting for. */
  const prune = (): void => {
    for (const giveUp of slow) {
      if (slow.size <= waiters.size) break;
      giveUp();
    }
    if (isClosing && waiters.size === 0) for (const giveUp of usable) giveUp();
  };

  const dialFor = (waiter: Waiter): void => {
    const given = createChildAbort();
    let cancel = clock.after(ADOPT_MS, () => {
      usable.delete(giveUp);
      slow.add(giveUp);
      cancel = clock.after(MAX_DIAL_MS - ADOPT_MS, () => {
        given.abort(failure("ETIMEDOUT", `the upstream took more than ${MAX_DIAL_MS} ms to establish a connection`));
      });
      prune();
    });
    /** Gives whether it was under way still. */
    const settle = (): boolean => {
      cancel();
      return usable.delete(giveUp) || slow.delete(giveUp);
    };
    const giveUp = (): void => {
      settle();
      given.abort(failure("ECONNABORTED", "no call waits for this connection any more"));
    };
    usable.add(giveUp);
    dial(events, given.signal).then(
      (connection) => {
        settle();
        give(connection);
      },
      (error: unknown) => {
        // Only a call for which no other dial is left fails with this one: the one it was made for, if it waits still.
        if (!settle() || waiters.size <= usable.size) return;
        (waiters.delete(waiter) ? waiter : nextWaiter())?.fail(error);
      },
    );
  };

  const wait = (exchange: Exchange): Promise<HttpAnswer> =>
    new Promise((resolve, reject) => {
      const { signal } = exchange;
      const waiter: Waiter = {
        take: (connection) => {
          leave();
          resolve(connection.send(exchange));
        },
        fail: (error) => {
          leave();
          reject(error);
        },
      };
      const link = followAbort(signal, {
        onAbort: (reason) => {
          waiters.delete(waiter);
          reject(reason);
          prune();
        },
      });
      const leave = (): void => {
        link.release();
        prune();
      };
      waiters.add(waiter);
      if (waiters.size > usable.size) dialFor(waiter);
    });

  return {
    send: (exchange) => {
      if (idle.length === 0) distrust = 0;
      if (distrust > 0) distrust -= 1;
      else {
        const connection = idle.pop();
        if (connection !== undefined) {
          connection.wake();
          return connection.send(exchange);
        }
      }
      return wait(exchange);
    },
    close: () => {
      isClosing = true;
      for (const connection of idle.splice(0)) connection.close();
      prune();
    },
  };
}
