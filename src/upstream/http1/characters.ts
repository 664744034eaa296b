/** Which bytes may stand where. @see https://www.rfc-editor.org/rfc/rfc9110#section-5.5 (read 2026-11-24) */

/** 1 for the characters of a header's name. */
export const IS_NAME = new Uint8Array(256);
for (const letter of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  IS_NAME[letter.charCodeAt(0)] = 1;
}

/** 1 for those of a header's value: no line ends, no NUL, no other control characters but the tabulator. */
export const IS_VALUE = new Uint8Array(256).fill(1, 0x20).fill(1, 0x09, 0x0a);
IS_VALUE[0x7f] = 0;

export const TAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SPACE = 0x20;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;

/** Value of an ASCII digit; anything else is below 0 or above 9. */
export function digitOf(byte: number | undefined): number {
  return (byte ?? 0) - 0x30;
}
