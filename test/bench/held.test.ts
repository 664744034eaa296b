import { expect, test } from "bun:test";
import { measureHeld } from "../../bench/held.ts";
import { openRig } from "../../bench/rig.ts";

// A tenth over what they are (bun bench/held.ts): what lasts as long as a stream must hold nothing of its request.
const MOST_OBJECTS = 160;
const MOST_KIB = 11.5;

test("an open stream holds no more than it needs", async () => {
  const rig = await openRig({ name: "held-test", binary: null });
  try {
    const { objects, bytes } = await measureHeld(rig);
    expect(objects).toBeLessThan(MOST_OBJECTS);
    expect(bytes / 1024).toBeLessThan(MOST_KIB);
    // It can be counted wrongly, too: a stream that is held at all is more than this.
    expect(objects).toBeGreaterThan(50);
  } finally {
    await rig.close();
  }
}, 60_000);
