/** What the answer's text goes through before it is shown. */
import { createStopScanner } from "../stop-scanner.ts";
import { createSurrogateHold } from "../surrogate-hold.ts";
import type { ReplyPlan } from "./draft.ts";
import { createFenceStripper } from "./json-fence.ts";

/** Takes the text of a streamed answer in pieces. */
export interface TextChannel {
  readonly push: (text: string) => string;
  /** What is held back; called where the text is interrupted or ends. */
  readonly flush: () => string;
  /** A stop sequence was found: nothing more comes. */
  readonly stopped: boolean;
}

/** Creates the channel: beginning put back, stop sequences, fence, whole surrogate pairs; only what the plan needs. */
export function createTextChannel(plan: ReplyPlan): TextChannel {
  const hold = createSurrogateHold();
  const scanner = plan.scannedStops.length === 0 ? null : createStopScanner(plan.scannedStops);
  const fence = plan.stripFence ? createFenceStripper() : null;
  let prefill = plan.prefill;

  const pass = (text: string): string => hold.push(fence === null ? text : fence.push(text));
  return {
    push: (text) => {
      const all = prefill + text;
      prefill = "";
      return pass(scanner === null ? all : scanner.push(all));
    },
    flush: () => {
      const rest = scanner === null ? "" : pass(scanner.end());
      return rest + hold.push(fence?.end() ?? "") + hold.end();
    },
    get stopped() {
      return scanner !== null && scanner.matched !== null;
    },
  };
}
