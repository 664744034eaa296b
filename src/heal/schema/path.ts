/** Places in a JSON value, told without the value's own words. */

/** A key that the schema names, an index, or null for a key that it does not name: that one is the answer's own word. */
export type PathStep = string | number | null;

const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/** `$.items[2].name`; a key that the schema does not name comes as `.*`. */
export function renderPath(path: readonly PathStep[]): string {
  let text = "$";
  for (const name of path) {
    if (typeof name === "number") text += `[${name}]`;
    else if (name === null) text += ".*";
    else text += PLAIN_NAME.test(name) ? `.${name}` : `[${JSON.stringify(name.slice(0, 64))}]`;
  }
  return text;
}
