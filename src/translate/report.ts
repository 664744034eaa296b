/** What a translation could not carry as it was. The gateway shows it in `x-arouter-dropped` and `x-arouter-adapted`. */
import { listOf, NO_ITEMS, withItem } from "./small-sets.ts";

export interface Report {
  /** Notes a field that is not honoured, by JSON path. Noting it twice shows it once. */
  readonly drop: (path: string) => void;
  /** Notes a field that is honoured differently; `value` is what took its place, where one word says it. */
  readonly adapt: (path: string, value?: string) => void;
  /** Paths in the order in which they were noted, each at most 128 characters; beyond 32 the rest as a number (`+12`). */
  readonly dropped: () => readonly string[];
  readonly adapted: () => readonly string[];
}

/** Paths listed of each kind; a long history could name hundreds, and they travel in a header. */
const MAX_PATHS = 32;
/** A path may end in a name that the client made up. */
const MAX_PATH_CHARACTERS = 128;

function listed(paths: ReadonlySet<string>): readonly string[] {
  const list = listOf(paths);
  return list.length <= MAX_PATHS ? list : [...list.slice(0, MAX_PATHS), `+${list.length - MAX_PATHS}`];
}

class RequestReport implements Report {
  #dropped: ReadonlySet<string> = NO_ITEMS;
  #adapted: ReadonlySet<string> = NO_ITEMS;

  drop(path: string): void {
    this.#dropped = withItem(this.#dropped, path.slice(0, MAX_PATH_CHARACTERS));
  }

  adapt(path: string, value?: string): void {
    const note = value === undefined ? path : `${path}=${value}`;
    this.#adapted = withItem(this.#adapted, note.slice(0, MAX_PATH_CHARACTERS));
  }

  dropped(): readonly string[] {
    return listed(this.#dropped);
  }

  adapted(): readonly string[] {
    return listed(this.#adapted);
  }
}

/** Starts an empty report for one request. */
export function createReport(): Report {
  return new RequestReport();
}
