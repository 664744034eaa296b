import { describe, expect, test } from "bun:test";
import type { Json } from "../../src/base/json.ts";
import { readDataUrl, readImageSize } from "../../src/wire/image-size.ts";
import { png } from "../support/png.ts";

const jpeg = (width: number, height: number, before: number): string => {
  const segment = Buffer.alloc(before + 2);
  segment.writeUInt16BE(before, 0);
  const frame = Buffer.from([0xff, 0xc2, 0, 17, 8, 0, 0, 0, 0, 3]);
  frame.writeUInt16BE(height, 5);
  frame.writeUInt16BE(width, 7);
  return Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe1]), segment.subarray(0, before), frame]).toString("base64");
};

const webp = (kind: string, write: (bytes: Buffer) => void): string => {
  const bytes = Buffer.alloc(40);
  bytes.write("RIFF", 0, "latin1");
  bytes.write(`WEBP${kind}`, 8, "latin1");
  write(bytes);
  return bytes.toString("base64");
};

describe("readImageSize", () => {
  test.each([
    ["PNG", png(640, 480), 640, 480],
    ["GIF", Buffer.from([...Buffer.from("GIF89a"), 0x80, 0x02, 0xe0, 0x01, 0, 0]).toString("base64"), 640, 480],
    ["JPEG", jpeg(640, 480, 20), 640, 480],
    ["JPEG behind a large profile", jpeg(640, 480, 60_000), 640, 480],
    [
      "lossy WebP",
      webp("VP8 ", (bytes) => {
        bytes.writeUInt16LE(640, 26);
        bytes.writeUInt16LE(480, 28);
      }),
      640,
      480,
    ],
    ["lossless WebP", webp("VP8L", (bytes) => bytes.writeUInt32LE(639 | (479 << 14), 21)), 640, 480],
    [
      "extended WebP",
      webp("VP8X", (bytes) => {
        bytes.writeUIntLE(639, 24, 3);
        bytes.writeUIntLE(479, 27, 3);
      }),
      640,
      480,
    ],
  ])("reads a %s", (_name, base64, width, height) => {
    expect(readImageSize(base64)).toEqual({ width, height });
  });

  test.each([
    "",
    "AAAA",
    "!!!!",
    png(1, 1).slice(0, 12),
    jpeg(1, 1, 20).slice(0, 20),
    Buffer.from("RIFF0000WEBPVP9 0000000000000000000").toString("base64"),
  ])("gives null for %j", (base64) => {
    expect(readImageSize(base64)).toBeNull();
  });
});

describe("readDataUrl", () => {
  test.each([
    ["data:image/PNG;base64,AAAA", { mediaType: "image/png", base64: "AAAA" }],
    ["data:text/plain;charset=utf-8;base64,AAAA", { mediaType: "text/plain", base64: "AAAA" }],
    ["data:text/plain,hello", null],
    ["data:nothing", null],
    ["https://example.com/;base64,x", null],
  ] as [string, Json][])("reads %s", (url, expected) => {
    expect(readDataUrl(url)).toEqual(expected as never);
  });
});
