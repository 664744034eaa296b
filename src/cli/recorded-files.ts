/** The files of configuration and policy, with a memory of what was read: another process can then begin with the same. */
import { systemFiles, type ConfigFiles, type FileRead } from "../config/files.ts";
import type { PolicyFiles } from "../policy/load.ts";
import { systemPolicyFiles } from "./policy-files.ts";

/** What was read, by path. */
export interface Readings {
  readonly files: readonly (readonly [path: string, read: FileRead])[];
  readonly folders: readonly (readonly [path: string, names: readonly string[] | null])[];
}

export interface RecordedFiles {
  readonly files: ConfigFiles & PolicyFiles;
  /** Forgets what was read. What is read from now on comes from `readings` and nowhere else; null: from the disk. */
  readonly begin: (readings: Readings | null) => void;
  readonly readings: () => Readings;
}

const MISSING: FileRead = { ok: false, missing: true, reason: "no such file" };

export function createRecordedFiles(): RecordedFiles {
  let files = new Map<string, FileRead>();
  let folders = new Map<string, readonly string[] | null>();
  let source: ConfigFiles & Pick<PolicyFiles, "list"> = { read: systemFiles.read, list: systemPolicyFiles.list };
  return {
    files: {
      read: (path) => {
        const read = source.read(path);
        files.set(path, read);
        return read;
      },
      list: (path) => {
        const names = source.list(path);
        folders.set(path, names);
        return names;
      },
    },
    begin: (readings) => {
      files = new Map();
      folders = new Map();
      source = readings === null ? { read: systemFiles.read, list: systemPolicyFiles.list } : createSource(readings);
    },
    readings: () => ({ files: [...files], folders: [...folders] }),
  };
}

/** Whether the disk has something else by now. */
export function isOutdated({ files, folders }: Readings): boolean {
  return (
    files.some(([path, read]) => !Bun.deepEquals(systemFiles.read(path), read)) ||
    folders.some(([path, names]) => !Bun.deepEquals(systemPolicyFiles.list(path)?.toSorted(), names?.toSorted()))
  );
}

function createSource(readings: Readings): ConfigFiles & Pick<PolicyFiles, "list"> {
  const files = new Map(readings.files);
  const folders = new Map(readings.folders);
  return { read: (path) => files.get(path) ?? MISSING, list: (path) => folders.get(path) ?? null };
}
