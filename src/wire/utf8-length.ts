/** Above this the runtime's own count is cheaper than a loop. */
const LOOP_CHARACTERS = 48;

/** UTF-8 bytes of `text`; a lone surrogate counts as three. */
export function utf8Length(text: string): number {
  if (text.length > LOOP_CHARACTERS) return Buffer.byteLength(text);
  let bytes = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x80) bytes += 1;
    else if (code < 0x800) bytes += 2;
    else if (code >= 0xd800 && code < 0xdc00 && isLowSurrogate(text.charCodeAt(at + 1))) {
      bytes += 4;
      at += 1;
    } else bytes += 3;
  }
  return bytes;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000;
}
