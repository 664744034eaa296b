import { describe, expect, test } from "bun:test";
import { createChildAbort, followAbort, type Signal } from "../../src/base/abort.ts";

describe("a child", () => {
  test("is aborted with the reason of whichever parent is first, through any number of generations", () => {
    const first = new AbortController();
    const second = createChildAbort();
    const child = createChildAbort(first.signal, second.signal);
    const grandchild = createChildAbort(child.signal);
    second.abort("second");
    first.abort("first");
    expect(child.signal.reason).toBe("second");
    expect(grandchild.signal.reason).toBe("second");
  });

  test("of a parent that was aborted before is aborted from the start", () => {
    const parent = createChildAbort();
    parent.abort("gone");
    expect(createChildAbort(parent.signal).signal.reason).toBe("gone");
    expect(createChildAbort(AbortSignal.abort("gone")).signal.reason).toBe("gone");
  });

  test("does not follow any more once it is released, nor abort its parent", () => {
    const parent = createChildAbort();
    const child = createChildAbort(parent.signal);
    child.release();
    child.release();
    parent.abort("gone");
    expect(child.signal.aborted).toBe(false);
    child.abort("own");
    expect(child.signal.reason).toBe("own");
    expect(parent.signal.reason).toBe("gone");
  });
});

describe.each([
  ["a signal made here", createChildAbort],
  ["any other signal", () => new AbortController()],
])("who follows %s", (_, create: () => { readonly signal: Signal; abort(reason: unknown): void }) => {
  test("is called once, in the order of joining, when the signal says that it is aborted", () => {
    const parent = create();
    const called: string[] = [];
    followAbort(parent.signal, { onAbort: (reason) => called.push(`a ${reason} ${parent.signal.aborted}`) });
    followAbort(parent.signal, { onAbort: () => called.push("b") });
    parent.abort("gone");
    parent.abort("again");
    expect(called).toEqual(["a gone true", "b"]);
  });

  test("is not called when it has let go, not even by another that is called before it", () => {
    const parent = create();
    const called: string[] = [];
    followAbort(parent.signal, {
      onAbort: () => {
        link.release();
        link.release();
        called.push("a");
      },
    });
    const link = followAbort(parent.signal, { onAbort: () => called.push("b") });
    parent.abort("gone");
    expect(called).toEqual(["a"]);
  });
});

test("a follower that throws stops neither the others nor who aborts, and is reported", async () => {
  const script = `
    import { createChildAbort, followAbort } from "./src/base/abort.ts";
    const said = [];
    process.on("unhandledRejection", (error) => said.push("reported " + error.message));
    const parent = createChildAbort();
    followAbort(parent.signal, { onAbort: () => { throw new Error("a defect"); } });
    followAbort(parent.signal, { onAbort: () => said.push("second") });
    parent.abort("gone");
    said.push("went on");
    setImmediate(() => process.stdout.write(said.join()));`;
  const cwd = new URL("../../", import.meta.url).pathname;
  const child = Bun.spawn([process.execPath, "-e", script], { cwd, stdout: "pipe", stderr: "ignore" });
  expect([await new Response(child.stdout).text(), await child.exited]).toEqual([
    "second,went on,reported a defect",
    0,
  ]);
});
