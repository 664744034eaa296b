/** Ids that look like the vendors', in a row that is the same for every run. */
import { sha256Hex } from "../base/ids.ts";

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** A source of ids. */
export interface Identity {
  /** A new id: `prefix` and `length` letters and digits. */
  readonly next: (prefix: string, length?: number) => string;
}

/** Ids of one simulator; `seed` tells two apart. */
export function createIdentity(seed: string): Identity {
  let count = 0;
  return {
    next: (prefix, length = 24) => {
      count += 1;
      const bytes = Buffer.from(sha256Hex(`${seed} ${count}`), "hex");
      let id = prefix;
      for (let at = 0; at < length; at += 1) id += ALPHABET[(bytes[at % bytes.length] ?? 0) % ALPHABET.length];
      return id;
    },
  };
}
