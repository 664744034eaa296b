import { afterEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { createReloader, systemWatch, type ReloadReason, type Reloader } from "../../src/config/reload.ts";
import type { SourceFile } from "../../src/config/run.ts";
import { createFakeClock } from "../support/fake-clock.ts";

/** A file system of prints that a test sets, with events that it sends. */
function createWorld(
  options: {
    readonly watch?: boolean;
    readonly minIntervalMs?: number;
    readonly apply?: () => void | Promise<void>;
  } = {},
) {
  const clock = createFakeClock();
  const prints = new Map([
    ["/a/config.toml", "1"],
    ["/a/policy.yaml", "1"],
  ]);
  const watchers = new Map<string, (written?: string) => void>();
  let looks = 0;
  const reasons: string[] = [];
  let files: readonly SourceFile[] = [
    { kind: "config", path: "/a/config.toml" },
    { kind: "policy", path: "/a/policy.yaml" },
  ];
  const reloader = createReloader({
    files: () => files,
    apply: async (reason: ReloadReason) => {
      reasons.push(reason.kind === "asked" ? "asked" : reason.files.map((file) => file.kind).join("+"));
      await options.apply?.();
    },
    clock,
    minIntervalMs: () => options.minIntervalMs ?? 1000,
    watch: options.watch ?? true,
    system: {
      fingerprint: (path) => {
        looks += 1;
        return prints.get(path) ?? "missing";
      },
      watchFolder: (folder, onChange) => {
        watchers.set(folder, onChange);
        return () => watchers.delete(folder);
      },
    },
  });
  return {
    clock,
    reasons,
    reloader,
    watchers,
    setFiles: (next: readonly SourceFile[]) => (files = next),
    /** Changes a file; the event is optional, as on file systems without. */
    change: (name: string, print: string, event = true) => {
      prints.set(`/a/${name}`, print);
      if (event) watchers.get("/a")?.();
    },
    event: (written?: string) => watchers.get("/a")?.(written),
    looks: () => looks,
  };
}

describe("the reloader", () => {
  test("reloads once for a change, after it has settled", async () => {
    const world = createWorld();
    world.change("config.toml", "2");
    await world.clock.advance(50);
    expect(world.reasons).toEqual([]);
    await world.clock.advance(5000);
    expect(world.reasons).toEqual(["config"]);
  });
  test("makes one reload of several changes", async () => {
    const world = createWorld();
    for (const print of ["2", "3", "4"]) world.change("config.toml", print);
    world.change("policy.yaml", "2");
    await world.clock.advance(900);
    expect(world.reasons).toEqual(["config+policy"]);
  });
  test("waits while a file is still being written", async () => {
    const world = createWorld();
    for (const print of ["2", "3", "4"]) {
      world.change("config.toml", print);
      await world.clock.advance(100);
    }
    expect(world.reasons).toEqual([]);
    await world.clock.advance(200);
    expect(world.reasons).toEqual(["config"]);
  });
  test("does not wait forever for a file that changes all the time", async () => {
    const world = createWorld({ minIntervalMs: 100 });
    for (let print = 2; print < 22; print++) {
      world.change("config.toml", String(print));
      await world.clock.advance(100);
    }
    expect(world.reasons.length).toBeGreaterThan(1);
  });
  test("is not moved by what else happens in the folder", async () => {
    const world = createWorld();
    for (let count = 0; count < 100; count++) {
      world.event();
      await world.clock.advance(30);
    }
    expect(world.reasons).toEqual([]);
    world.change("policy.yaml", "2");
    for (let count = 0; count < 20; count++) {
      world.event();
      await world.clock.advance(30);
    }
    expect(world.reasons).toEqual(["policy"]);
  });
  test("does not even look when another kind of file is written in the folder", async () => {
    const world = createWorld();
    const before = world.looks();
    world.event("ledger.jsonl");
    await world.clock.advance(1000);
    expect(world.looks()).toBe(before);
    for (const name of ["config.toml", "behind-a-link.yaml", undefined]) {
      const known = world.looks();
      world.event(name);
      await world.clock.advance(200);
      expect(world.looks()).toBeGreaterThan(known);
    }
  });
  test("ends the watch of a folder in which a log is written all the time, and looks twice a second instead", async () => {
    const world = createWorld({ minIntervalMs: 100 });
    for (let count = 0; count < 30; count++) {
      world.event("access.log");
      await world.clock.advance(100);
    }
    expect(world.watchers.has("/a")).toBe(false);
    const before = world.looks();
    await world.clock.advance(5000);
    const looks = (world.looks() - before) / 2;
    expect(looks).toBeGreaterThanOrEqual(8);
    expect(looks).toBeLessThanOrEqual(11);
    world.change("policy.yaml", "2", false);
    await world.clock.advance(800);
    expect(world.reasons).toEqual(["policy"]);
    expect(world.watchers.has("/a")).toBe(false);
    world.reloader.close();
    expect(world.clock.pending()).toBe(0);
  });
  test("keeps watching a folder in which something else is written now and then", async () => {
    const world = createWorld();
    for (let count = 0; count < 100; count++) {
      world.event("ledger.jsonl");
      await world.clock.advance(200);
    }
    expect(world.watchers.has("/a")).toBe(true);
  });
  test("leaves the interval between two reloads", async () => {
    const world = createWorld({ minIntervalMs: 1000 });
    world.change("config.toml", "2");
    await world.clock.advance(300);
    expect(world.reasons).toEqual(["config"]);
    world.change("config.toml", "3");
    await world.clock.advance(600);
    expect(world.reasons).toEqual(["config"]);
    await world.clock.advance(600);
    expect(world.reasons).toEqual(["config", "config"]);
  });
  test("sees a change without an event by looking now and then", async () => {
    const world = createWorld();
    world.change("config.toml", "2", false);
    await world.clock.advance(6000);
    expect(world.reasons).toEqual(["config"]);
  });
  test("reloads when asked, changed or not, once for several calls", async () => {
    const world = createWorld();
    world.reloader.request();
    world.reloader.request();
    await world.clock.advance(100);
    expect(world.reasons).toEqual(["asked"]);
    await world.clock.advance(5000);
    expect(world.reasons).toEqual(["asked"]);
  });
  test("reloads when asked even if it does not watch, and then only", async () => {
    const world = createWorld({ watch: false });
    expect(world.watchers.size).toBe(0);
    world.change("config.toml", "2");
    await world.clock.advance(60_000);
    expect(world.reasons).toEqual([]);
    world.reloader.request();
    await world.clock.advance(100);
    expect(world.reasons).toEqual(["asked"]);
  });
  test("does not overlap reloads, and reads again what changed during one", async () => {
    const gates: (() => void)[] = [];
    const world = createWorld({ minIntervalMs: 0, apply: () => new Promise<void>((resolve) => gates.push(resolve)) });
    world.change("config.toml", "2");
    await world.clock.advance(300);
    world.change("config.toml", "3");
    world.reloader.request();
    await world.clock.advance(10_000);
    expect(world.reasons).toEqual(["config"]);
    gates[0]?.();
    await world.clock.advance(300);
    expect(world.reasons).toEqual(["config", "asked"]);
    gates[1]?.();
    await world.clock.advance(10_000);
    expect(world.reasons).toEqual(["config", "asked"]);
  });
  test("goes on after a reload that threw", async () => {
    const world = createWorld({
      minIntervalMs: 0,
      apply: () => {
        throw new Error("bad");
      },
    });
    world.change("config.toml", "2");
    await world.clock.advance(300);
    world.change("config.toml", "3");
    await world.clock.advance(300);
    expect(world.reasons).toEqual(["config", "config"]);
  });
  test("watches the files that the new configuration names", async () => {
    const world = createWorld({ minIntervalMs: 0 });
    world.setFiles([{ kind: "policy", path: "/b/policies" }]);
    world.reloader.request();
    await world.clock.advance(300);
    expect([...world.watchers.keys()].sort()).toEqual(["/b", "/b/policies"]);
    world.change("config.toml", "9");
    await world.clock.advance(10_000);
    expect(world.reasons).toEqual(["asked"]);
  });
  test("leaves nothing behind when closed", async () => {
    const world = createWorld();
    world.change("config.toml", "2");
    world.reloader.close();
    world.reloader.request();
    await world.clock.advance(10_000);
    expect([world.reasons.length, world.watchers.size, world.clock.pending()]).toEqual([0, 0, 0]);
  });
});

describe("on this machine's files", () => {
  const folders: string[] = [];
  const open: Reloader[] = [];
  afterEach(() => {
    for (const reloader of open.splice(0)) reloader.close();
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });

  /** Resolves with the kinds that changed. */
  function watchOnce(path: string): { readonly folder: string; readonly changed: Promise<string> } {
    let tell = (_kinds: string): void => {};
    const changed = new Promise<string>((resolve) => (tell = resolve));
    open.push(
      createReloader({
        files: () => [{ kind: "config", path }],
        apply: (reason) => tell(reason.kind === "changed" ? reason.files.map((file) => file.kind).join() : reason.kind),
        clock: systemClock,
        minIntervalMs: () => 0,
        watch: true,
      }),
    );
    return { folder: path, changed };
  }
  const makeFolder = (): string => {
    const folder = mkdtempSync(join(tmpdir(), "arouter-reload-"));
    folders.push(folder);
    return folder;
  };

  test("sees a file written in place", async () => {
    const file = join(makeFolder(), "arouter.toml");
    writeFileSync(file, "a");
    const { changed } = watchOnce(file);
    writeFileSync(file, "b");
    expect(await changed).toBe("config");
  });
  test("sees an editor's rename over the file", async () => {
    const folder = makeFolder();
    const file = join(folder, "arouter.toml");
    writeFileSync(file, "a");
    const { changed } = watchOnce(file);
    writeFileSync(join(folder, ".arouter.toml.swp"), "b");
    renameSync(join(folder, ".arouter.toml.swp"), file);
    expect(await changed).toBe("config");
  });
  test("sees the symlink swap by which Kubernetes updates a ConfigMap", async () => {
    const folder = makeFolder();
    for (const version of ["..v1", "..v2"]) {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, "arouter.toml"), "same length");
    }
    symlinkSync("..v1", join(folder, "..data"));
    symlinkSync("..data/arouter.toml", join(folder, "arouter.toml"));
    const { changed } = watchOnce(join(folder, "arouter.toml"));
    symlinkSync("..v2", join(folder, "..data_tmp"));
    renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    rmSync(join(folder, "..v1"), { recursive: true });
    expect(await changed).toBe("config");
  });
  test("sees a policy added to a folder", async () => {
    const folder = makeFolder();
    writeFileSync(join(folder, "a.yaml"), "a");
    const { changed } = watchOnce(folder);
    writeFileSync(join(folder, "b.yaml"), "b");
    expect(await changed).toBe("config");
  });
  test("sees a file that was not there", async () => {
    const file = join(makeFolder(), "arouter.toml");
    const { changed } = watchOnce(file);
    writeFileSync(file, "a");
    expect(await changed).toBe("config");
  });
  test("tells folders' policies apart from other files in them", () => {
    const folder = makeFolder();
    writeFileSync(join(folder, "a.yaml"), "a");
    const before = systemWatch.fingerprint(folder);
    writeFileSync(join(folder, "notes.txt"), "x");
    expect(systemWatch.fingerprint(folder)).toBe(before);
    expect(systemWatch.fingerprint(join(folder, "none"))).toBe("missing");
  });
});
