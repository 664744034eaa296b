/** Reading headers, whoever sent them. */

/** Headers under lower-case names, the values of a repeated name joined by `, `. A `Headers` is one. */
export interface HeaderView {
  /** `name` in lower case; null without such a header. */
  get(name: string): string | null;
  forEach(visit: (value: string, name: string) => void): void;
}

/** The headers of a request. A `Headers` is one. */
export interface RequestHeaders extends HeaderView {
  /** The names of those that are there. */
  keys(): Iterable<string>;
}

/** The headers of a request, asked for many at a time: each question put to the runtime's own costs a call and a text. */
class HeaderList implements RequestHeaders {
  readonly #names: string[] = [];
  readonly #values: string[] = [];

  add(value: string, name: string): void {
    this.#names.push(name);
    this.#values.push(value);
  }

  get(name: string): string | null {
    const names = this.#names;
    for (let at = 0; at < names.length; at += 1) if (names[at] === name) return this.#values[at] ?? null;
    return null;
  }

  keys(): readonly string[] {
    return this.#names;
  }

  forEach(visit: (value: string, name: string) => void): void {
    for (let at = 0; at < this.#names.length; at += 1) visit(this.#values[at] ?? "", this.#names[at] ?? "");
  }
}

/** What `headers` has now. */
export function listHeaders(headers: HeaderView): RequestHeaders {
  const list = new HeaderList();
  headers.forEach((value, name) => list.add(value, name));
  return list;
}
