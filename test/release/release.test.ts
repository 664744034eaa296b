/** A whole release: every platform's archive, what is in it, and that it can be made again to the byte. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createRelease } from "../../scripts/release.ts";
import { readVersion } from "../../scripts/release/lock.ts";
import { run } from "../../scripts/release/run.ts";
import { findTarget, TARGETS } from "../../scripts/release/targets.ts";
import { smoke } from "../../scripts/smoke.ts";
import { findMusl, MUSL_TARGETS } from "../support/musl.ts";
import { findChecker } from "../support/shipping.ts";
import { readElf, readMach, readPe } from "./binary-formats.ts";

setDefaultTimeout(120_000);

const root = resolve(import.meta.dir, "../..");
const COMMIT = "0123456789ab";
const SECONDS = 1_700_000_000;
const version = readVersion();

let outdir: string;
let unpacked: string;
const archiveOf = (target: string): string => `arouter-${version}-${target}.tar.gz`;
const programOf = (target: string): string => join(unpacked, `arouter-${version}-${target}`, findTarget(target).file);
const sha256 = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

beforeAll(async () => {
  outdir = mkdtempSync(join(tmpdir(), "arouter-release-"));
  unpacked = mkdtempSync(join(tmpdir(), "arouter-unpacked-"));
  await createRelease({ outdir, targets: TARGETS, commit: COMMIT, seconds: SECONDS });
  for (const { name } of TARGETS)
    await run(["tar", "-xzf", join(outdir, archiveOf(name)), "-C", unpacked], { cwd: root });
}, 600_000);
afterAll(() => {
  for (const folder of [outdir, unpacked]) rmSync(folder, { recursive: true, force: true });
});

describe("a release", () => {
  test("has an archive for each platform, a bill of materials, the script that installs, and checksums of all", () => {
    const names = [...TARGETS.map(({ name }) => archiveOf(name)), `arouter-${version}.cdx.json`, "install.sh"];
    expect(readdirSync(outdir).toSorted()).toEqual([...names, "SHA256SUMS"].toSorted());
    const sums = readFileSync(join(outdir, "SHA256SUMS"), "utf8").trimEnd().split("\n");
    expect(sums).toEqual(names.map((name) => `${sha256(join(outdir, name))}  ${name}`));
  });

  test.each(TARGETS.map(({ name }) => name))("has the program and the licences in the archive for %s", async (name) => {
    const listed = await run(["tar", "-tvzf", join(outdir, archiveOf(name))], {
      cwd: root,
      environment: { TZ: "UTC" },
    });
    const folder = `arouter-${version}-${name}`;
    const lines = listed.trimEnd().split("\n");
    expect(lines.map((line) => line.split(" ").at(-1))).toEqual([
      `${folder}/${findTarget(name).file}`,
      `${folder}/LICENSE`,
      `${folder}/THIRD_PARTY_LICENSES.txt`,
    ]);
    expect(lines[0]).toMatch(/^-rwxr-xr-x root\/root +\d+ 2023-11-14 22:13 /);
  });

  test("is the same to the byte from another folder", async () => {
    // On the same disk, where packages can be linked instead of copied.
    const copy = mkdtempSync(join(root, "dist/a-rather-longer-path-"));
    try {
      const files = [
        "src",
        "scripts",
        "policies",
        "schemas",
        "test/support",
        "package.json",
        "package-lock.json",
        "LICENSE",
      ];
      for (const path of [...files, "tsconfig.json", "bunfig.toml"])
        cpSync(join(root, path), join(copy, path), { recursive: true });
      mkdirSync(join(copy, ".cache"));
      for (const path of ["node_modules", ".cache/runtimes"]) {
        await run(["cp", "--archive", "--link", join(root, path), join(copy, path)], { cwd: root });
      }
      const how = ["--target", "linux-x64", "--commit", COMMIT, "--time", String(SECONDS), "--outdir", "out"];
      await run([process.execPath, "scripts/release.ts", ...how], { cwd: copy });
      expect(sha256(join(copy, "out", archiveOf("linux-x64")))).toBe(sha256(join(outdir, archiveOf("linux-x64"))));
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });
});

describe("the bill of materials", () => {
  interface Component {
    readonly name: string;
    readonly version: string;
    readonly purl: string;
    readonly licenses: readonly unknown[];
    readonly hashes: readonly { readonly alg: string; readonly content: string }[];
    readonly components?: readonly { readonly name: string }[];
  }
  const read = () =>
    JSON.parse(readFileSync(join(outdir, `arouter-${version}.cdx.json`), "utf8")) as {
      readonly bomFormat: string;
      readonly metadata: { readonly timestamp: string; readonly component: object };
      readonly components: readonly Component[];
    };

  test("tells what it is of", () => {
    expect(read()).toMatchObject({
      bomFormat: "CycloneDX",
      metadata: {
        timestamp: "2023-11-14T22:13:20.000Z",
        component: { name: "arouter", version, properties: [{ name: "commit", value: COMMIT }] },
      },
    });
  });

  const checker = findChecker("python");
  test.skipIf("missing" in checker && process.env["CI"] === undefined)(
    `is valid by the schema of CycloneDX${"missing" in checker ? `: ${checker.missing}` : ""}`,
    async () => {
      if ("missing" in checker) expect.unreachable(checker.missing);
      const program = [
        "import sys",
        "from cyclonedx.schema import SchemaVersion",
        "from cyclonedx.validation.json import JsonStrictValidator",
        "print(JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read()))",
      ].join("\n");
      const file = join(outdir, `arouter-${version}.cdx.json`);
      expect(await run([(checker as { path: string }).path, "-c", program, file], { cwd: root })).toBe("None\n");
    },
  );

  test("names every part with version, licence and the hash of the package", () => {
    const { components } = read();
    expect(components.length).toBeGreaterThan(10);
    for (const { purl, licenses, hashes } of components) {
      expect(purl).toMatch(/^pkg:npm\/(?:%40[\w-]+\/)?[\w.-]+@\d/);
      expect(licenses).toHaveLength(1);
      expect(hashes[0]?.content).toMatch(/^[0-9a-f]{128}$/);
    }
  });

  test("names what is known to be inside, the runtime and its libraries among them", () => {
    const { components } = read();
    const names = components.map(({ name }) => name);
    for (const name of ["elysia", "yaml", "smol-toml", "re2js", "prom-client", "@sinclair/typebox"])
      expect(names).toContain(name);
    // Only tests use these.
    for (const name of ["openai", "fast-check", "playwright-core"]) expect(names).not.toContain(name);
    const runtime = components.find(({ name }) => name === "bun");
    expect(runtime?.version).toBe(Bun.version);
    expect(runtime?.components?.map(({ name }) => name)).toContain("boringssl");
  });

  test("agrees with the licences beside each program", () => {
    const text = readFileSync(join(unpacked, `arouter-${version}-linux-x64`, "THIRD_PARTY_LICENSES.txt"), "utf8");
    for (const { name, version: its } of read().components) expect(text).toContain(`\n${name} ${its} (`);
    expect(text).toContain("Permission is hereby granted, free of charge");
    expect(text).toContain("LGPL-2");
  });
});

const GLIBC = ["libc.so.6", "libpthread.so.0", "libdl.so.2", "libm.so.6"];

describe("the programs", () => {
  test.each([
    ["linux-x64", 0x3e, "/lib64/ld-linux-x86-64.so.2", [...GLIBC, "ld-linux-x86-64.so.2"]],
    ["linux-arm64", 0xb7, "/lib/ld-linux-aarch64.so.1", [...GLIBC, "ld-linux-aarch64.so.1"]],
    ["linux-x64-musl", 0x3e, "/lib/ld-musl-x86_64.so.1", ["libstdc++.so.6", "libc.musl-x86_64.so.1"]],
    ["linux-arm64-musl", 0xb7, "/lib/ld-musl-aarch64.so.1", ["libstdc++.so.6", "libc.musl-aarch64.so.1"]],
  ])("for %s needs no more than the libraries that the docs name", (name, machine, interpreter, needed) => {
    const facts = readElf(readFileSync(programOf(name)));
    expect(facts).toMatchObject({ machine, interpreter });
    expect(facts.needed.toSorted()).toEqual(needed.toSorted());
  });

  test.each(["linux-x64", "linux-arm64"])("for %s runs with glibc from 2.17 on", (name) => {
    expect(readElf(readFileSync(programOf(name))).glibcMinor).toBe(17);
  });

  test.each([
    ["darwin-x64", 0x0100_0007],
    ["darwin-arm64", 0x0100_000c],
  ])("for %s needs only what macOS has", (name, cpu) => {
    const facts = readMach(readFileSync(programOf(name)));
    expect(facts.cpu).toBe(cpu);
    expect(facts.libraries.filter((path) => !/^\/(?:usr\/lib|System\/Library)\//.test(path))).toEqual([]);
    expect(facts.minimumSystem).toBe("13.0");
  });

  test("for macOS bear a signature that fits, or none where none is needed", () => {
    // arm64 runs nothing unsigned; x64 does, but nothing whose signature is wrong.
    expect(readMach(readFileSync(programOf("darwin-arm64"))).wrongPages).toBe(0);
    expect(readMach(readFileSync(programOf("darwin-x64"))).wrongPages).toBeNull();
  });

  test("for Windows is a console program for x64", () => {
    expect(readPe(readFileSync(programOf("windows-x64")))).toEqual({ machine: 0x8664, subsystem: 3 });
  });

  test.skipIf(process.platform !== "linux" || process.arch !== "x64")(
    "for linux-x64 knows its build, and answers",
    async () => {
      const facts = await run([programOf("linux-x64"), "version", "--json"], { cwd: unpacked });
      expect(JSON.parse(facts)).toEqual({ version, commit: COMMIT, bun: Bun.version, target: "linux-x64" });
      await smoke([programOf("linux-x64")]);
    },
  );

  for (const target of MUSL_TARGETS) {
    const musl = findMusl(target);
    const lacking = "missing" in musl ? `: ${musl.missing}` : "";
    test.skipIf(lacking !== "" && process.env["CI"] === undefined)(
      `for ${target} knows its build, and answers, on a musl and a libstdc++ that others built${lacking}`,
      async () => {
        if ("missing" in musl) return expect.unreachable(musl.missing);
        const command = [...musl.prefix, programOf(target)];
        const facts = await run([...command, "version", "--json"], { cwd: unpacked });
        expect(JSON.parse(facts)).toEqual({ version, commit: COMMIT, bun: Bun.version, target });
        await smoke(command);
      },
    );
  }
});
