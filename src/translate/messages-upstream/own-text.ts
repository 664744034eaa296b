/** Text fields of blocks. */
import { isString, own } from "../../base/json.ts";

/** The own string property `key` of `value`; "" when it is absent or no string. */
export function ownText(value: unknown, key: string): string {
  const text = own(value, key);
  return isString(text) ? text : "";
}
