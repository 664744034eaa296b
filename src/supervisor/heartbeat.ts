/** Finds processes whose event loop hangs: they answer no ping. */
import type { Clock } from "../base/clock.ts";

export interface Beating {
  /** Asks for a sign of life. */
  readonly ping: () => void;
  /** Called once for each time that it is found hanging. */
  readonly onHung: () => void;
  /** Pings since its last answer; whoever hears the answer sets it to 0. */
  missedPings: number;
}

const PING_MS = 5000;
/** Pings without an answer. Counted, not timed: while the machine sleeps nobody is asked. */
const MAX_MISSED_PINGS = 6;

/** Pings whoever is there every five seconds; the function returned ends it. */
export function startHeartbeat(clock: Clock, members: () => readonly Beating[]): () => void {
  const beat = (): void => {
    for (const member of members()) {
      if (member.missedPings >= MAX_MISSED_PINGS) member.onHung();
      member.missedPings += 1;
      member.ping();
    }
    cancel = clock.after(PING_MS, beat);
  };
  let cancel = clock.after(PING_MS, beat);
  return () => cancel();
}
