/** Writes a ledger as fast as it can and tells how many lines are flushed, until it is killed. `FILE FIRST_NUMBER` */
import { writeSync } from "node:fs";
import { systemClock } from "../../src/base/clock.ts";
import { createLedger } from "../../src/observe/ledger.ts";
import { recordOf } from "./support.ts";

const [file = "", first = "0"] = process.argv.slice(2);
const ledger = createLedger({
  after: systemClock.after,
  settings: () => ({ file, maxBytes: 1e9, keep: 1, requests: false }),
  emit: () => undefined,
  redact: (text) => text,
});
for (let number = Number(first); ;) {
  const end = number + 1 + Math.floor(Math.random() * 40);
  for (; number < end; number++) {
    ledger.observe({ type: "exchange-finished", record: recordOf({ id: String(number), costUsd: 1 }) });
  }
  await ledger.flush();
  writeSync(1, `${number}\n`);
}
