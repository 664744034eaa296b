/** Builds the image for both architectures from the Dockerfile, looks into it, and runs it. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { readVersion } from "../../scripts/release/lock.ts";
import { run } from "../../scripts/release/run.ts";
import { smoke } from "../../scripts/smoke.ts";
import { missingProgram } from "../support/shipping.ts";
import { ARCHITECTURES, missingBuilder, openBuilder, type Architecture, type Builder, type Image } from "./builder.ts";
import { mountedCommand, startContainer, type Container } from "./container.ts";

setDefaultTimeout(180_000);

const root = resolve(import.meta.dir, "../..");

/** What the image holds beside what it is built on: 58 MB compressed. */
const MAX_ADDED_BYTES = 135_000_000;

// On a machine where an image could be built it must be, when everything is to be checked.
if (missingBuilder !== null && process.platform === "linux" && process.arch === "x64") {
  test.skipIf(process.env["CI"] === undefined)(`an image can be built: ${missingBuilder}`, () => {
    expect.unreachable(missingBuilder ?? "");
  });
}

/** Paths of files and links below `folder`, from there. Links are not followed: they may lead in circles. */
function listFiles(folder: string, below = ""): readonly string[] {
  return readdirSync(join(folder, below), { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(below, entry.name);
      return entry.isDirectory() ? listFiles(folder, path) : [path];
    })
    .toSorted();
}

/** `ELF … x86-64` and its like: the architecture a program is for. */
function machineOf(path: string): number {
  return readFileSync(path).readUInt16LE(18);
}
const MACHINES: Readonly<Record<Architecture, number>> = { amd64: 0x3e, arm64: 0xb7 };

describe.skipIf(missingBuilder !== null)(`the image${missingBuilder === null ? "" : `: ${missingBuilder}`}`, () => {
  let builder: Builder;
  const images = new Map<Architecture, Image>();
  const image = (architecture: Architecture): Image => {
    const found = images.get(architecture);
    if (found === undefined) throw new Error(`the image for ${architecture} was not built`);
    return found;
  };

  beforeAll(async () => {
    builder = await openBuilder();
    for (const architecture of ARCHITECTURES) images.set(architecture, await builder.build(architecture));
  }, 900_000);
  afterAll(async () => builder?.close());

  test.each(ARCHITECTURES)("for %s adds three files to what it is built on, and no shell", (architecture) => {
    const { root: folder, baseRoot } = image(architecture);
    const base = new Set(listFiles(baseRoot));
    const added = listFiles(folder).filter((path) => !base.has(path));
    // The builder leaves traces of its own in /run.
    expect(added.filter((path) => !path.startsWith("run/"))).toEqual([
      "etc/arouter/arouter.toml",
      "etc/arouter/policies.yaml",
      "usr/local/bin/arouter",
    ]);
    expect(listFiles(folder).filter((path) => /(?:^|\/)s?bin\//.test(path))).toEqual(["usr/local/bin/arouter"]);
    const bytes = added.reduce((sum, path) => sum + lstatSync(join(folder, path)).size, 0);
    expect(bytes).toBeLessThan(MAX_ADDED_BYTES);
  });

  test.each(ARCHITECTURES)("for %s holds a program and libraries of that architecture", (architecture) => {
    const { config, root: folder } = image(architecture);
    expect(config.architecture).toBe(architecture);
    const library = listFiles(folder).find((path) => path.endsWith("/libc.so.6"));
    expect(machineOf(join(folder, library ?? ""))).toBe(MACHINES[architecture]);
    expect(machineOf(join(folder, "usr/local/bin/arouter"))).toBe(MACHINES[architecture]);
  });

  test("runs as a user of no name, and tells its health by its own binary", () => {
    const { config } = image("amd64").config;
    expect(config.User).toBe("65532:65532");
    expect(config.Entrypoint).toEqual(["/usr/local/bin/arouter"]);
    expect(config.Cmd).toEqual(["serve"]);
    expect(config.Healthcheck.Test).toEqual(["CMD", "/usr/local/bin/arouter", "healthcheck", "--ready"]);
    expect(Object.keys(config.ExposedPorts)).toEqual(["8080/tcp"]);
  });

  test("names its version and commit", () => {
    expect(image("amd64").config.config.Labels).toMatchObject({
      "org.opencontainers.image.version": readVersion(),
      "org.opencontainers.image.revision": "0123456789ab",
      // Of the Dockerfile; a release gives it with its digest.
      "org.opencontainers.image.base.name": "gcr.io/distroless/base-nossl-debian12:nonroot",
    });
  });

  test("is one image for both architectures", async () => {
    expect(await builder.join(ARCHITECTURES)).toEqual(["linux/amd64", "linux/arm64"]);
  });

  describe("with its own configuration, on a root file system that cannot be written", () => {
    let container: Container;
    const healthcheck = (): readonly string[] => image("amd64").config.config.Healthcheck.Test.slice(1);
    beforeAll(() => {
      container = startContainer(image("amd64"), { OPENAI_API_KEY: "sk-image", ANTHROPIC_API_KEY: "sk-ant-image" });
    });

    test("is found ready by its health check", async () => {
      const endMs = Date.now() + 20_000;
      let last = await container.execute(healthcheck());
      while (last.code !== 0 && Date.now() < endMs) last = await container.execute(healthcheck());
      expect(last).toEqual({ code: 0, output: expect.stringContaining("ready") });
      expect(container.output()).toContain("listening");
      expect(container.output()).toContain("0.0.0.0:8080");
    });

    test("is found ill where it does not listen", async () => {
      const [program = ""] = healthcheck();
      const { code } = await container.execute([program, "healthcheck", "--ready", "--listen", "127.0.0.1:9"]);
      expect(code).toBe(1);
    });

    test("has a policy that passes its tests", async () => {
      const [program = ""] = healthcheck();
      const checked = await container.execute([program, "check", "--config", "/etc/arouter/arouter.toml"]);
      expect(checked.output).toContain("0 errors");
      expect(checked.code).toBe(0);
    });

    test("ends by itself when process 1 is told to", async () => {
      expect(await container.stop()).toBe(0);
    });
  });

  test("answers one request each way with a configuration mounted over its own", async () => {
    await smoke(mountedCommand(image("amd64")));
  });

  const missingEmulator = missingProgram("qemu-aarch64-static");
  test.skipIf(missingEmulator !== null && process.env["CI"] === undefined)(
    `for arm64 answers one request each way, emulated${missingEmulator === null ? "" : ` (${missingEmulator})`}`,
    async () => {
      if (missingEmulator !== null) return expect.unreachable(missingEmulator);
      const { root: folder } = image("arm64");
      const emulator = ["qemu-aarch64-static", "-L", folder];
      const program = join(folder, "usr/local/bin/arouter");
      const version = await run([...emulator, program, "version", "--json"], { cwd: root });
      expect(JSON.parse(version)).toMatchObject({
        version: readVersion(),
        commit: "0123456789ab",
        target: "linux-arm64",
      });
      // Set, it spares the gateway the start of itself again, which the emulator does not follow.
      await smoke(["env", "BUN_CONFIG_MAX_HTTP_REQUESTS=65335", ...emulator, program]);
    },
  );
});
