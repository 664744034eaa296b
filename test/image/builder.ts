/**
 * Builds the image as `docker build` would, with a builder that needs no daemon. Its two base images cannot be fetched
 * everywhere, so stand-ins are made under their names from Debian's packages, of which the real ones consist too.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { run } from "../../scripts/release/run.ts";
import { missingProgram } from "../support/shipping.ts";

const root = resolve(import.meta.dir, "../..");

/** Why no image can be built here; null when one can. */
export const missingBuilder: string | null =
  process.platform !== "linux" || process.arch !== "x64"
    ? "the image is built on Linux on x64"
    : process.getuid?.() !== 0
      ? "building an image without a daemon needs root"
      : (missingProgram("buildah") ?? missingProgram("mmdebstrap") ?? missingProgram("ip"));

export const ARCHITECTURES = ["amd64", "arm64"] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** What a container runtime reads of an image. */
export interface ImageConfig {
  readonly architecture: string;
  readonly config: {
    readonly User: string;
    readonly Env: readonly string[];
    readonly Entrypoint: readonly string[];
    readonly Cmd: readonly string[];
    readonly WorkingDir: string;
    readonly ExposedPorts: Readonly<Record<string, unknown>>;
    readonly Labels: Readonly<Record<string, string>>;
    readonly Healthcheck: { readonly Test: readonly string[] };
  };
}

export interface Image {
  readonly config: ImageConfig;
  /** Folder with the image's root file system, and that of the image it was built from. */
  readonly root: string;
  readonly baseRoot: string;
}

export interface Builder {
  /** @throws Error with the builder's words when it does not build */
  readonly build: (architecture: Architecture) => Promise<Image>;
  /** Makes one image of those built, and tells the platforms in it. */
  readonly join: (architectures: readonly Architecture[]) => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
}

const BUILD_BASE = "docker.io/library/node:24-slim";
const RUNTIME_BASE = "gcr.io/distroless/base-nossl-debian12:nonroot";
/** What the stand-in of the runtime's base is made of: as distroless says of base-nossl. */
const RUNTIME_PACKAGES = "libc6,base-files,ca-certificates,netbase,tzdata";
const BUILD_PACKAGES = "libc6,libstdc++6,base-files,dash,coreutils,tar,gzip";
/** Where certificates of this machine lie; the build stage reaches the registry by them. */
const CERTIFICATES = ["/etc/ssl/certs", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates"];

/** Opens a store of images of its own, in a temporary folder. */
export async function openBuilder(): Promise<Builder> {
  const scratch = mkdtempSync(join(tmpdir(), "arouter-image-"));
  const options = { cwd: scratch, environment: { BUILDAH_ISOLATION: "chroot" } };
  const buildah = async (...args: readonly string[]): Promise<string> => {
    const store = ["--root", join(scratch, "store"), "--runroot", join(scratch, "run")];
    return (await run(["buildah", ...store, ...args], options)).trim();
  };
  const debian = async (packages: string, architecture: Architecture, folder: string): Promise<void> => {
    const what = ["--variant=extract", `--architectures=${architecture}`, `--include=${packages}`];
    await run(["mmdebstrap", "--quiet", ...what, "bookworm", `${folder}.tar`], options);
    mkdirSync(folder);
    await run(["tar", "-xf", `${folder}.tar`, "-C", folder], options);
    rmSync(`${folder}.tar`);
  };
  /** Commits `folder` as an image under the name of the one that it stands for. */
  const commit = async (folder: string, name: string, settings: readonly string[]): Promise<void> => {
    const container = await buildah("from", "scratch");
    await buildah("add", "--quiet", container, folder, "/");
    await buildah("config", ...settings, container);
    await buildah("commit", "--quiet", "--format=docker", "--rm", container, name);
  };

  const buildBase = join(scratch, "build-base");
  await debian(BUILD_PACKAGES, "amd64", buildBase);
  installNode(buildBase);
  const environment = ["HOME=/root", "NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt"];
  await commit(buildBase, BUILD_BASE, ["--arch=amd64", ...environment.map((entry) => `--env=${entry}`)]);
  const npmCache = (await run(["npm", "config", "get", "cache"], { cwd: root })).trim();
  mkdirSync(npmCache, { recursive: true });
  const volumes = [
    `${npmCache}:/root/.npm`,
    ...CERTIFICATES.filter((path) => existsSync(path)).map((path) => `${path}:${path}:ro`),
  ].map((volume) => `--volume=${volume}`);

  return {
    build: async (architecture) => {
      const baseRoot = join(scratch, `base-${architecture}`);
      await debian(RUNTIME_PACKAGES, architecture, baseRoot);
      // Distroless has no programs, and Debian's packages of these libraries do.
      for (const folder of ["bin", "sbin", "usr/bin", "usr/sbin"])
        rmSync(join(baseRoot, folder), { recursive: true, force: true });
      await commit(baseRoot, RUNTIME_BASE, [`--arch=${architecture}`, "--user=65532"]);
      const platforms = {
        BUILDPLATFORM: "linux/amd64",
        TARGETPLATFORM: `linux/${architecture}`,
        TARGETARCH: architecture,
      };
      const args = Object.entries({ ...platforms, COMMIT: "0123456789ab" }).map(
        ([key, value]) => `--build-arg=${key}=${value}`,
      );
      const tag = `arouter:${architecture}`;
      const how = ["--format=docker", "--pull-never", "--layers", `--platform=linux/${architecture}`];
      await buildah("bud", "--quiet", ...how, ...args, ...volumes, `--tag=${tag}`, root);
      const { Docker } = JSON.parse(await buildah("inspect", "--type=image", tag)) as { Docker: ImageConfig };
      const container = await buildah("from", "--pull-never", tag);
      return { config: Docker, root: await buildah("mount", container), baseRoot };
    },
    join: async (architectures) => {
      await buildah("manifest", "create", "arouter:all");
      for (const architecture of architectures)
        await buildah("manifest", "add", "arouter:all", `arouter:${architecture}`);
      const { manifests } = JSON.parse(await buildah("manifest", "inspect", "arouter:all")) as {
        manifests: readonly { platform: { os: string; architecture: string } }[];
      };
      return manifests.map(({ platform }) => `${platform.os}/${platform.architecture}`);
    },
    close: async () => {
      await buildah("umount", "--all");
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

/** Puts this machine's node and npm where the image of that name has them. */
function installNode(folder: string): void {
  const node = Bun.which("node");
  const npm = Bun.which("npm");
  if (node === null || npm === null) throw new Error("node and npm are not on the PATH");
  mkdirSync(join(folder, "usr/local/bin"), { recursive: true });
  cpSync(realpathSync(node), join(folder, "usr/local/bin/node"));
  // …/npm/bin/npm-cli.js
  cpSync(dirname(dirname(realpathSync(npm))), join(folder, "usr/local/lib/node_modules/npm"), { recursive: true });
  symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", join(folder, "usr/local/bin/npm"));
}
