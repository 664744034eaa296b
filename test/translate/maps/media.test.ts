import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../../src/base/errors.ts";
import {
  normalizeBase64,
  parseDataUrl,
  renderDataUrl,
  renderFileBlock,
  renderFilePart,
  renderImageBlock,
  renderImageUrl,
  sniffMediaType,
} from "../../../src/translate/maps/media.ts";
import { own } from "../../../src/base/json.ts";

const base64 = (text: string): string => Buffer.from(text, "latin1").toString("base64");

describe("media", () => {
  test.each([
    ["\xff\xd8\xff\xe0 rest", "image/jpeg"],
    ["\x89PNG\r\n\x1a\n rest", "image/png"],
    ["GIF89a rest of it", "image/gif"],
    ["GIF87a rest of it", "image/gif"],
    ["RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"],
    ["RIFF\x00\x00\x00\x00WAVEfmt ", null],
    ["%PDF-1.7", "application/pdf"],
    ["BM", null],
    ["", null],
  ])("knows %j by its first bytes", (bytes, expected) => {
    expect(sniffMediaType(base64(bytes))).toBe(expected);
  });

  test.each([
    ["QQ", "QQ=="],
    ["QQ==", "QQ=="],
    ["Q\nQ\r\n==", "QQ=="],
    ["-_-_", "+/+/"],
    ["QUI%3D", "QUI="],
    ["QUJD", "QUJD"],
  ])("repairs base64 %j", (given, expected) => {
    expect(normalizeBase64(given)).toBe(expected);
  });

  test.each([
    ["data:image/png;base64,QQ==", { mediaType: "image/png", data: "QQ==" }],
    ["DATA:Image/PNG;Charset=x;BASE64,QQ", { mediaType: "image/png", data: "QQ==" }],
    ["data:text/plain,a%20b", { mediaType: "text/plain", data: "YSBi" }],
    ["data:;base64,QQ==", { mediaType: "", data: "QQ==" }],
    ["data:image/png;base64", null],
    ["data:text/plain,%", null],
    ["https://example.com", null],
  ])("reads %j", (url, expected) => {
    expect(parseDataUrl(url)).toEqual(expected);
  });

  test("an image goes there and back", () => {
    const url = renderDataUrl({ mediaType: "image/png", data: base64("\x89PNG\r\n\x1a\n") });
    expect(renderImageUrl(own(renderImageBlock(url, "p"), "source"))).toBe(url);
    const remote = "https://example.com/a.png";
    expect(renderImageUrl(own(renderImageBlock(remote, "p"), "source"))).toBe(remote);
    expect(renderImageUrl({ type: "file", file_id: "f" })).toBeNull();
  });

  test("a PDF goes there and back", () => {
    const block = renderFileBlock(base64("%PDF-1"), "a.pdf", "p");
    const part = renderFilePart(String(own(own(block, "source"), "data")), String(own(block, "title")));
    expect(part).toEqual({
      type: "file",
      file: { filename: "a.pdf", file_data: `data:application/pdf;base64,${base64("%PDF-1")}` },
    });
    expect(renderFileBlock(String(own(own(part, "file"), "file_data")), "a.pdf", "p")).toEqual(block);
    expect(own(own(renderFilePart("x", null), "file"), "filename")).toBe("document.pdf");
  });

  test("a type that is missing is told by the name", () => {
    expect(own(own(renderFileBlock(base64("a,b"), "t.CSV", "p"), "source"), "data")).toBe("a,b");
  });

  test("refusals name the path and not the data", () => {
    try {
      renderImageBlock("data:image/tiff;base64,SECRET", "messages[0]");
      throw new Error("not refused");
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      expect(error.param).toBe("messages[0]");
      expect(error.message).not.toContain("SECRET");
    }
  });
});
