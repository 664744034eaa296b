/**
 * The connections to one origin. The one that was free last is used first, so that the others can go; there is no limit to
 * their number but the calls there are. A call that finds none free waits for whichever comes first: one that gets free,
 * or one that is dialled for it.
 */
import type { Clock } from "../../base/clock.ts";
import type { HttpAnswer } from "../http.ts";
import { followAbort } from "../../base/abort.ts";
import type { Connection, ConnectionEvents, Exchange } from "./connection.ts";

export interface ConnectionPool {
  readonly send: (exchange: Exchange) => Promise<HttpAnswer>;
  /** Closes what is idle; what is in use when it is over. */
  readonly close: () => void;
}

export interface ConnectionPoolOptions {
  readonly clock: Clock;
  readonly dial: (events: ConnectionEvents) => Promise<Connection>;
  readonly idleSeconds: number;
}

/** A call that waits for a connection. */
interface Waiter {
  readonly take: (connection: Connection) => void;
  readonly fail: (error: unknown) => void;
}

/** A dial whose call has gone serves another one, unless it has taken as long as this already. */
const ADOPT_MS = 2000;

export function createConnectionPool({ clock, dial, idleSeconds }: ConnectionPoolOptions): ConnectionPool {
  const idle: Connection[] = [];
  const waiters = new Set<Waiter>();
  /** When each dial under way began, oldest first. */
  const dials = new Set<{ readonly sinceMs: number }>();
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
    else {
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

  /** How many dials under way calls may count on. */
  const usable = (): number => {
    const nowMs = clock.nowMs();
    let count = dials.size;
    for (const { sinceMs } of dials) {
      if (nowMs - sinceMs < ADOPT_MS) break;
      count -= 1;
    }
    return count;
  };

  const dialOne = (): void => {
    const mine = { sinceMs: clock.nowMs() };
    dials.add(mine);
    dial(events).then(
      (connection) => {
        dials.delete(mine);
        give(connection);
      },
      (error: unknown) => {
        dials.delete(mine);
        // Only a call for which no other dial is left fails with this one.
        if (waiters.size > usable()) nextWaiter()?.fail(error);
      },
    );
  };

  const wait = (exchange: Exchange): Promise<HttpAnswer> =>
    new Promise((resolve, reject) => {
      const { signal } = exchange;
      const waiter: Waiter = {
        take: (connection) => {
          letGo();
          resolve(connection.send(exchange));
        },
        fail: (error) => {
          letGo();
          reject(error);
        },
      };
      const letGo = followAbort(signal, () => {
        waiters.delete(waiter);
        reject(signal.reason);
      });
      waiters.add(waiter);
      if (waiters.size > usable()) dialOne();
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
    },
  };
}
