/**
 * Public suites and recorded traffic that are too large to live in this repository. They are looked for beside it;
 * tests that read them skip, and say so, where they are not.
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

const candidate = process.env["AROUTER_SHARED"] ?? resolve(import.meta.dir, "../../../shared");

/** The folder with `corpus/`, `data/` and `facts/`; null where it does not exist. `AROUTER_SHARED` names another. */
export const sharedDir: string | null = existsSync(join(candidate, "corpus")) ? candidate : null;

/** Why tests over the shared data skip, for their names. */
export const sharedMissing = "no shared data beside the repository (AROUTER_SHARED names another folder)";
