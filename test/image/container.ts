/** Runs an image as a container runtime would: as its user, on a root file system that cannot be written. */
import type { Image } from "./builder.ts";

/** Mounts, then becomes the user. Arguments: the root, user:group, "network" or "", the program and its arguments. */
const SCRIPT = `
set -e
root=$1 user=$2 network=$3; shift 3
test -z "$network" || ip link set lo up
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
if test -z "$network"; then chmod -R a+rX . && mount --bind . "$root/etc/arouter" && mount -o remount,bind,ro "$root/etc/arouter"; fi
exec chroot --userspec="$user" --groups="" "$root" "$@"
`;

/** Command that runs the image's program with the working folder mounted over `/etc/arouter`, on this machine's network. */
export function mountedCommand({ root, config }: Image): readonly string[] {
  const { User, Entrypoint } = config.config;
  return ["unshare", "--mount", "--", "sh", "-c", SCRIPT, "container", root, User, "", ...Entrypoint];
}

/** A container with nothing mounted, on a network of its own. */
export interface Container {
  /** Runs a command of the image beside its program, as `HEALTHCHECK` does. */
  readonly execute: (command: readonly string[]) => Promise<{ readonly code: number; readonly output: string }>;
  readonly output: () => string;
  /** SIGTERM to process 1; its exit status. */
  readonly stop: () => Promise<number>;
}

/** Starts the image with its own entry point, command and configuration, and `environment` beside its own. */
export function startContainer({ root, config }: Image, environment: Readonly<Record<string, string>>): Container {
  const { User, Entrypoint, Cmd, Env } = config.config;
  const own = Object.fromEntries(
    Env.map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
  );
  const spaces = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"];
  const child = Bun.spawn(
    [...spaces, "--", "sh", "-c", SCRIPT, "container", root, User, "network", ...Entrypoint, ...Cmd],
    {
      cwd: "/",
      env: { ...own, ...environment },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    const decoder = new TextDecoder();
    void (async () => {
      for await (const chunk of stream) output += decoder.decode(chunk, { stream: true });
    })();
  }
  /** Process 1 of the container, as this machine numbers it. */
  const first = async (): Promise<string> => {
    const children = await Bun.file(`/proc/${child.pid}/task/${child.pid}/children`).text();
    return children.trim();
  };
  return {
    output: () => output,
    execute: async (command) => {
      const [uid = "", gid = ""] = User.split(":");
      const enter = ["nsenter", "--target", await first(), "--mount", "--net", "--pid", "--root", "--wd"];
      const executed = Bun.spawn([...enter, `--setuid=${uid}`, `--setgid=${gid}`, "--", ...command], {
        env: own,
        stdout: "pipe",
        stderr: "pipe",
      });
      const [out, error, code] = await Promise.all([
        new Response(executed.stdout).text(),
        new Response(executed.stderr).text(),
        executed.exited,
      ]);
      return { code, output: out + error };
    },
    stop: async () => {
      process.kill(Number(await first()), "SIGTERM");
      return child.exited;
    },
  };
}
