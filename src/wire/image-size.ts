/** Width and height of an image from the first bytes of its base64, without decoding the picture. */

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** Base64 read at most: a JPEG may carry a large thumbnail or colour profile before its frame header. */
const HEAD_CHARACTERS = 262_144;

function pngSize(bytes: Buffer): ImageSize | null {
  return bytes.length >= 24 && bytes.readUInt32BE(0) === 0x89504e47
    ? { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) }
    : null;
}

function gifSize(bytes: Buffer): ImageSize | null {
  return bytes.length >= 10 && bytes.toString("latin1", 0, 4) === "GIF8"
    ? { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) }
    : null;
}

function webpSize(bytes: Buffer): ImageSize | null {
  if (bytes.length < 30 || bytes.toString("latin1", 8, 12) !== "WEBP") return null;
  switch (bytes.toString("latin1", 12, 16)) {
    case "VP8 ":
      return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
    case "VP8L": {
      const bits = bytes.readUInt32LE(21);
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case "VP8X":
      return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 };
    default:
      return null;
  }
}

/** Frame headers, all but DHT, JPG and DAC among C0–CF. */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function jpegSize(bytes: Buffer): ImageSize | null {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return null;
  let at = 2;
  while (at + 9 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] ?? 0;
    if (isFrameHeader(marker)) return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return null;
}

/**
 * Size in pixels of a PNG, JPEG, GIF or WebP given as base64; null for anything else or when the header lies too deep.
 * @see https://www.w3.org/TR/png-3/ §11.2.1, https://developers.google.com/speed/webp/docs/riff_container (read 2026-11-24)
 */
export function readImageSize(base64: string): ImageSize | null {
  const head = Buffer.from(base64.slice(0, 64), "base64");
  const small = pngSize(head) ?? gifSize(head) ?? webpSize(head);
  if (small !== null) return small;
  return head.length >= 2 && head.readUInt16BE(0) === 0xffd8
    ? jpegSize(Buffer.from(base64.slice(0, HEAD_CHARACTERS), "base64"))
    : null;
}

/** A `data:` URL in its parts; null for any other URL, and for one that is not base64. */
export function readDataUrl(url: string): { readonly mediaType: string; readonly base64: string } | null {
  if (!url.startsWith("data:")) return null;
  const comma = url.indexOf(",");
  const head = url.slice(5, Math.max(5, comma));
  if (comma < 0 || !head.endsWith(";base64")) return null;
  return { mediaType: head.slice(0, head.indexOf(";")).toLowerCase(), base64: url.slice(comma + 1) };
}
