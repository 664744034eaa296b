import { afterAll, beforeAll, expect, test } from "bun:test";
import { countObjects, total } from "../../bench/objects.ts";
import { openRig, type Rig } from "../../bench/rig.ts";
import { workloadById } from "../../bench/workloads.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await openRig({ name: "objects-test", binary: null });
});
afterAll(() => rig.close());

// A tenth over what they are (bun bench/objects.ts): a layer, a copy or a closure that comes back shows, and the compiler's moods do not.
test.each([
  ["W1", 395],
  ["W3", 455],
  ["W5", 450],
])(
  "a request of %s makes no more than %d objects",
  async (id, most) => {
    const made = await countObjects(rig, workloadById(id));
    expect(made.get("Object") ?? 0).toBeGreaterThan(10);
    expect(total(made)).toBeLessThanOrEqual(most);
  },
  60_000,
);
