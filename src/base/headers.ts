/** What is read of an answer's headers, whoever received it. */

/** Headers under lower-case names, the values of a repeated name joined by `, `. A `Headers` is one. */
export interface HeaderView {
  /** `name` in lower case; null without such a header. */
  readonly get: (name: string) => string | null;
  readonly forEach: (visit: (value: string, name: string) => void) => void;
}
