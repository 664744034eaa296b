import { describe, expect, test } from "bun:test";
import { boundOf, fallen, TYPICAL } from "../../bench/gate.ts";
import { NAMES, type Row, type WaveRow } from "../../bench/report.ts";
import { SLOW, WORKLOADS } from "../../bench/workloads.ts";
import { madeUpReport, row } from "./support.ts";

const IDS = [...WORKLOADS, SLOW].map(({ id }) => id);

/** Every workload just at `share` of its bound. */
function rowsAt(share: number): readonly Row[] {
  return WORKLOADS.flatMap(({ id }) => [
    row(id, NAMES.bare, 100),
    row(id, NAMES.events, 100),
    row(id, NAMES.twice, 100),
    row(id, NAMES.compiled, 100 * boundOf(id) * share),
  ]);
}

function waveAt(share: number): readonly WaveRow[] {
  return madeUpReport().wave.map((each) =>
    each.name === NAMES.compiled ? { ...each, peakMb: 50 * boundOf(SLOW.id) * share } : each,
  );
}

describe("the gate", () => {
  test("has a usual value for every workload, and no other", () => {
    expect(Object.keys(TYPICAL).toSorted()).toEqual(IDS.toSorted());
  });

  test("lets everything pass that is below its bound", () => {
    expect(fallen(rowsAt(0.99), waveAt(0.99), IDS)).toEqual([]);
  });

  test("names every workload that is over", () => {
    expect(fallen(rowsAt(1.01), waveAt(1.01), IDS).map(({ id }) => id)).toEqual(IDS);
  });

  test("names the one that fell, with its figures", () => {
    const rows = rowsAt(0.5).filter(({ id, name }) => id !== "W3" || name !== NAMES.compiled);
    const [fall, ...others] = fallen([...rows, row("W3", NAMES.compiled, 100 * boundOf("W3") * 2)], waveAt(0.5), IDS);
    expect(others).toEqual([]);
    expect(fall?.id).toBe("W3");
    expect(fall?.text).toContain(`${(boundOf("W3") * 2).toFixed(2)} × the bare proxy's`);
    expect(fall?.text).toContain(`bound ${boundOf("W3").toFixed(2)}`);
  });

  test("takes one slow round for what it is", () => {
    const usual = 100 * boundOf("W1") * 0.6;
    const rows = [
      row("W1", NAMES.bare, 100),
      row("W1", NAMES.compiled, usual, { cpuRounds: [usual, usual * 50, usual] }),
    ];
    expect(fallen(rows, [], ["W1"])).toEqual([]);
  });

  test("compares within a round: a machine that is slow for a while slows both", () => {
    const usual = 100 * boundOf("W1") * 0.9;
    const rows = [
      row("W1", NAMES.bare, 300, { cpuRounds: [100, 300, 300] }),
      row("W1", NAMES.compiled, usual * 3, { cpuRounds: [usual, usual * 3, usual * 3] }),
    ];
    expect(fallen(rows, [], ["W1"])).toEqual([]);
  });

  test("does not let pass what was not measured", () => {
    expect(fallen([], [], ["W1", "W7"]).map(({ text }) => text)).toEqual([
      expect.stringContaining("W1: CPU per request was not measured"),
      expect.stringContaining("W7: peak memory was not measured"),
    ]);
  });

  test("does not let pass a stream that did not come whole", () => {
    const wave = waveAt(0.5).map((each) =>
      each.name === NAMES.compiled ? { ...each, whole: 0, failure: "status 503" } : each,
    );
    expect(fallen([], wave, ["W7"])).toEqual([{ id: "W7", text: "W7: status 503" }]);
  });
});
