/** Where the keys and values of a TOML file stand: smol-toml checks and reads the file but keeps no positions. */

/** From 1; columns count UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface Positions {
  /** Of the key at `path`, or of the nearest table around it that has one. */
  readonly key: (path: readonly string[]) => Position;
  /** Of the value at `path`; of its key when the value is a table with a header of its own. */
  readonly value: (path: readonly string[]) => Position;
}

const START: Position = { line: 1, column: 1 };

/** Positions for a file without keys, such as one that does not exist. */
export const NO_POSITIONS: Positions = { key: () => START, value: () => START };

/**
 * The positions of `source`, which must be valid TOML. Elements of arrays go by their index.
 * Linear in the length of the source.
 */
export function findPositions(source: string): Positions {
  const keys = new Map<string, number>();
  const values = new Map<string, number>();
  scan(source, keys, values);
  const locate = createLocator(source);
  const nearestIn = (offsets: ReadonlyMap<string, number>, path: readonly string[]): Position => {
    for (let length = path.length; length > 0; length--) {
      const id = pathId(path.slice(0, length));
      const offset = (length === path.length ? offsets.get(id) : undefined) ?? keys.get(id) ?? values.get(id);
      if (offset !== undefined) return locate(offset);
    }
    return START;
  };
  return { key: (path) => nearestIn(keys, path), value: (path) => nearestIn(values, path) };
}

const pathId = (path: readonly string[]): string => path.join("\0");

function createLocator(source: string): (offset: number) => Position {
  const lineStarts = [0];
  for (let at = source.indexOf("\n"); at >= 0; at = source.indexOf("\n", at + 1)) lineStarts.push(at + 1);
  return (offset) => {
    let line = lineStarts.findLastIndex((start) => start <= offset);
    line = Math.max(line, 0);
    return { line: line + 1, column: offset - (lineStarts[line] ?? 0) + 1 };
  };
}

const BARE_KEY = /[A-Za-z0-9_-]+/y;
const BLANK = /[ \t]*/y;
/** Blanks, line ends and comments: what may stand between the elements of an array. */
const GAP = /(?:[ \t\r\n]+|#[^\n]*)*/y;
const SCALAR = /[^,\]}#\r\n]+/y;

function scan(source: string, keys: Map<string, number>, values: Map<string, number>): void {
  let at = source.startsWith("\ufeff") ? 1 : 0;
  let table: readonly string[] = [];
  const arrayTables = new Map<string, number>();

  const skip = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const text = pattern.exec(source)?.[0] ?? "";
    at += text.length;
    return text;
  };
  const skipString = (): string => {
    const start = at;
    const quote = source[at] ?? "";
    const triple = source.startsWith(quote.repeat(3), at);
    const close = triple ? quote.repeat(3) : quote;
    at += close.length;
    while (at < source.length && !source.startsWith(close, at)) at += quote === '"' && source[at] === "\\" ? 2 : 1;
    at += close.length;
    // A multi-line string may end in up to two quotes of its own.
    while (triple && source[at] === quote) at++;
    return source.slice(start + close.length, at - close.length);
  };
  const isQuote = (): boolean => source[at] === '"' || source[at] === "'";
  const readKeyPart = (): string => {
    if (!isQuote()) return skip(BARE_KEY);
    const escaped = source[at] === '"';
    const text = skipString();
    return escaped ? unescape(text) : text;
  };
  /** A dotted key; each of its parts is noted. */
  const readKey = (prefix: readonly string[]): readonly string[] => {
    const path = [...prefix];
    for (;;) {
      skip(BLANK);
      const start = at;
      path.push(readKeyPart());
      const id = pathId(path);
      if (!keys.has(id)) keys.set(id, start);
      skip(BLANK);
      if (source[at] !== ".") return path;
      at++;
    }
  };
  const readValue = (path: readonly string[]): void => {
    values.set(pathId(path), at);
    const start = at;
    if (isQuote()) skipString();
    else if (source[at] === "[") readItems("]", (index) => readValue([...path, String(index)]));
    else if (source[at] === "{") readItems("}", () => readPair(path));
    else skip(SCALAR);
    // Valid TOML always moves on; anything else must not hang.
    if (at === start) at++;
  };
  const readItems = (close: string, readItem: (index: number) => void): void => {
    at++;
    for (let index = 0; at < source.length; index++) {
      skip(GAP);
      if (source[at] === close) break;
      readItem(index);
      skip(GAP);
      if (source[at] !== ",") break;
      at++;
    }
    at++;
  };
  const readPair = (prefix: readonly string[]): void => {
    const path = readKey(prefix);
    at++;
    skip(BLANK);
    readValue(path);
  };
  const readHeader = (): void => {
    const array = source[at + 1] === "[";
    at += array ? 2 : 1;
    table = readKey([]);
    at += array ? 2 : 1;
    if (!array) return;
    const index = arrayTables.get(pathId(table)) ?? 0;
    arrayTables.set(pathId(table), index + 1);
    table = [...table, String(index)];
  };

  while (at < source.length) {
    skip(GAP);
    if (at >= source.length) return;
    if (source[at] === "[") readHeader();
    else readPair(table);
  }
}

function unescape(text: string): string {
  return text.replace(
    /\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})|(.))/g,
    (all, ...groups: string[]) => {
      const [short, long, byte, letter] = groups;
      const code = short ?? long ?? byte;
      if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16));
      return (
        ({ n: "\n", t: "\t", r: "\r", b: "\b", f: "\f", e: "\u001b" } as Readonly<Record<string, string>>)[
          letter ?? ""
        ] ??
        letter ??
        all
      );
    },
  );
}
