/** The platforms that binaries are built for. */

/** One platform: what its files are called and which runtime they are built on. */
export interface Target {
  /** As in file names and in `arouter version`. */
  readonly name: string;
  /** As `bun build --target` calls it. */
  readonly bun: string;
  /** npm package of the runtime; its version and hash stand in package-lock.json. */
  readonly runtime: string;
  /** Name of the binary. */
  readonly file: "arouter" | "arouter.exe";
}

function target(name: string, runtime: string): Target {
  return {
    name,
    bun: `bun-${name}`,
    runtime: `@oven/bun-${runtime}`,
    file: name.startsWith("windows") ? "arouter.exe" : "arouter",
  };
}

export const TARGETS: readonly Target[] = [
  target("linux-x64", "linux-x64"),
  target("linux-arm64", "linux-aarch64"),
  target("linux-x64-musl", "linux-x64-musl"),
  target("linux-arm64-musl", "linux-aarch64-musl"),
  target("darwin-x64", "darwin-x64"),
  target("darwin-arm64", "darwin-aarch64"),
  target("windows-x64", "windows-x64"),
];

/** Names that Docker gives to architectures. */
const DOCKER_NAMES: Readonly<Record<string, string>> = { amd64: "linux-x64", arm64: "linux-arm64" };

/**
 * Finds a platform by its name, with or without `bun-`, or by Docker's word for the architecture.
 * @throws Error naming the platforms there are
 */
export function findTarget(name: string): Target {
  const plain = DOCKER_NAMES[name] ?? name.replace(/^bun-/, "");
  const found = TARGETS.find((target) => target.name === plain);
  if (found !== undefined) return found;
  throw new Error(`there is no target "${name}"; there are ${TARGETS.map((target) => target.name).join(", ")}`);
}
