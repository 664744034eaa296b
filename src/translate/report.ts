/** What a translation could not carry as it was. The gateway shows it in `x-arouter-dropped` and `x-arouter-adapted`. */
export interface Report {
  /** Notes a field that is not honoured, by JSON path. Noting it twice shows it once. */
  readonly drop: (path: string) => void;
  /** Notes a field that is honoured differently; `value` is what took its place, where one word says it. */
  readonly adapt: (path: string, value?: string) => void;
  /** Paths in the order in which they were noted. */
  readonly dropped: () => readonly string[];
  readonly adapted: () => readonly string[];
}

/** Starts an empty report for one request. */
export function createReport(): Report {
  const dropped = new Set<string>();
  const adapted = new Set<string>();
  return {
    drop: (path) => void dropped.add(path),
    adapt: (path, value) => void adapted.add(value === undefined ? path : `${path}=${value}`),
    dropped: () => [...dropped],
    adapted: () => [...adapted],
  };
}
