/** Watches the files of the configuration and calls for a reload when one changed. */
import { readdirSync, statSync, watch } from "node:fs";
import { dirname, extname, join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { SourceFile } from "./run.ts";

/** Why a reload is due: SIGHUP and its like, or the files that changed. */
export type ReloadReason =
  { readonly kind: "asked" } | { readonly kind: "changed"; readonly files: readonly SourceFile[] };

/** The file system as the reloader sees it. */
export interface WatchSystem {
  /** Changes whenever what is read at `path` (a file, or a folder of policies) does. */
  readonly fingerprint: (path: string) => string;
  /**
   * Calls `onChange` after something in `folder` changed, maybe more often; with a name when nothing happened but that the file
   * of that name was written. The function returned ends it.
   */
  readonly watchFolder: (folder: string, onChange: (written?: string) => void) => () => void;
}

export interface ReloaderOptions {
  /** Files in use; asked again after each reload. */
  readonly files: () => readonly SourceFile[];
  /** Loads and swaps; what it throws is its own to report. Calls never overlap. */
  readonly apply: (reason: ReloadReason) => void | Promise<void>;
  readonly clock: Clock;
  /** Least time between the starts of two reloads. */
  readonly minIntervalMs: () => number;
  /** False: reload only when asked. */
  readonly watch: boolean;
  readonly system?: WatchSystem;
}

export interface Reloader {
  /** Reloads whether or not a file changed; several calls before it starts are one. */
  readonly request: () => void;
  /** Ends watching; a reload under way goes on. */
  readonly close: () => void;
}

/** Editors write a file in several steps: it counts as changed once two looks this far apart find the same. */
const QUIET_MS = 100;
/** A file that changes at every look is read after this many all the same. */
const MAX_UNSETTLED_LOOKS = 5;
/** Network and overlay file systems tell of no change: look every so often. */
const POLL_MS = 5_000;
/** A log or ledger that is written beside the files would wake us for each of its writes: past so many in a second we look instead. */
const MAX_STRAY_PER_SECOND = 8;
const BUSY_POLL_MS = 500;

/**
 * Watches the folders of the files, so that a file replaced by rename and the symlink swap of a mounted ConfigMap are
 * seen, and compares the files themselves, so that whatever else is written beside them is not. A folder in which much else is
 * written is looked at twice a second instead.
 */
export function createReloader(options: ReloaderOptions): Reloader {
  const { clock } = options;
  const system = options.system ?? systemWatch;
  const state = {
    asked: false,
    running: false,
    closed: false,
    scheduled: false,
    lastStartMs: Number.NEGATIVE_INFINITY,
  };
  let cancelTimer = (): void => {};
  let cancelPoll = (): void => {};
  let watched: ReadonlyMap<string, () => void> = new Map();
  /** Folders in which something else is written all the time: looked at, not watched. */
  const busy = new Set<string>();
  const look = (): ReadonlyMap<string, string> =>
    new Map(options.watch ? options.files().map(({ path }) => [path, system.fingerprint(path)]) : []);
  /** What the configuration in use was read from. */
  let loaded = look();
  /** What the last look found, and how many in a row found something new. */
  let seen = loaded;
  let unsettledLooks = 0;

  const changedSince = (before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): readonly SourceFile[] =>
    options.files().filter(({ path }) => now.has(path) && before.get(path) !== now.get(path));

  // A timer that runs is left alone: events that keep coming, as from a log in the same folder, must not postpone it.
  const schedule = (delayMs = QUIET_MS): void => {
    if (state.closed || state.running || state.scheduled) return;
    state.scheduled = true;
    const untilAllowedMs = state.lastStartMs + options.minIntervalMs() - clock.nowMs();
    cancelTimer = clock.after(Math.max(delayMs, untilAllowedMs), () => {
      state.scheduled = false;
      void check();
    });
  };

  const check = async (): Promise<void> => {
    const now = look();
    unsettledLooks = changedSince(seen, now).length === 0 ? 0 : unsettledLooks + 1;
    const settled = unsettledLooks === 0 || unsettledLooks >= MAX_UNSETTLED_LOOKS;
    seen = now;
    const files = changedSince(loaded, now);
    if (state.asked) await reload({ kind: "asked" }, now);
    else if (files.length > 0 && settled) await reload({ kind: "changed", files }, now);
    else if (files.length > 0) schedule();
  };

  const reload = async (reason: ReloadReason, now: ReadonlyMap<string, string>): Promise<void> => {
    unsettledLooks = 0;
    state.asked = false;
    state.running = true;
    state.lastStartMs = clock.nowMs();
    try {
      await options.apply(reason);
    } catch {
      // Told by `apply`; watching has to go on.
    }
    state.running = false;
    // A file changed while it was read differs from `now` and is read again; one that is new is as it was just read.
    loaded = new Map([...look(), ...now]);
    watchFolders();
    schedule();
  };

  const watchFolders = (): void => {
    if (!options.watch || state.closed) return;
    const folders = new Set(options.files().flatMap(({ path }) => [dirname(path), path]));
    const next = new Map<string, () => void>();
    for (const folder of folders) {
      if (!busy.has(folder)) next.set(folder, watched.get(folder) ?? watchOne(folder));
    }
    for (const [folder, end] of watched) if (!next.has(folder)) end();
    watched = next;
  };

  const watchOne = (folder: string): (() => void) => {
    const stray = { sinceMs: Number.NEGATIVE_INFINITY, count: 0 };
    return system.watchFolder(folder, (written) => {
      if (written === undefined || isLikeOurs(written)) {
        schedule();
        return;
      }
      const nowMs = clock.nowMs();
      if (nowMs - stray.sinceMs >= 1000) {
        stray.sinceMs = nowMs;
        stray.count = 0;
      }
      stray.count += 1;
      if (stray.count <= MAX_STRAY_PER_SECOND || state.closed) return;
      busy.add(folder);
      watchFolders();
      cancelPoll();
      poll();
    });
  };

  /** A link may lead to a file of another name, hardly to one of another kind. */
  const isLikeOurs = (name: string): boolean =>
    name.endsWith(POLICY_ENDING) || options.files().some(({ path }) => extname(path) === extname(name));

  const poll = (): void => {
    schedule();
    cancelPoll = clock.after(busy.size === 0 ? POLL_MS : BUSY_POLL_MS, poll);
  };

  watchFolders();
  if (options.watch) cancelPoll = clock.after(POLL_MS, poll);
  return {
    request: () => {
      state.asked = true;
      schedule(0);
    },
    close: () => {
      state.closed = true;
      cancelTimer();
      cancelPoll();
      for (const end of watched.values()) end();
      watched = new Map();
    },
  };
}

/** Of the files in a folder of policies. */
const POLICY_ENDING = ".yaml";

/** The file system of this machine. */
export const systemWatch: WatchSystem = {
  fingerprint: (path) => {
    try {
      if (!statSync(path).isDirectory()) return stamp(path);
      const names = readdirSync(path).filter((name) => name.endsWith(POLICY_ENDING));
      return names
        .sort()
        .map((name) => `${name} ${stamp(join(path, name))}`)
        .join("\n");
    } catch {
      return "missing";
    }
  },
  watchFolder: (folder, onChange) => {
    try {
      if (!statSync(folder).isDirectory()) return () => {};
      const watcher = watch(folder, { persistent: false }, (event, name) => {
        onChange(event === "change" && name !== null ? name : undefined);
      });
      // A folder that goes away ends its watch with an error; the poll goes on.
      watcher.on("error", () => watcher.close());
      return () => watcher.close();
    } catch {
      return () => {};
    }
  },
};

/** Follows links: another target is another file. */
function stamp(path: string): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}
