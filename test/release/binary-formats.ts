/** Looks into programs of other systems: what they are for, what they load, and whether their signature holds. */
import { createHash } from "node:crypto";

/** An ELF program. @see https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html (read 2026-11-24) */
export interface ElfFacts {
  readonly machine: number;
  /** Path of the loader. */
  readonly interpreter: string;
  /** Names of the libraries that it needs. */
  readonly needed: readonly string[];
  /** Highest GLIBC_2.x that it asks for; null when it asks for none. */
  readonly glibcMinor: number | null;
}

export function readElf(bytes: Buffer): ElfFacts {
  if (bytes.toString("latin1", 0, 4) !== "\x7fELF") throw new Error("not an ELF program");
  const headersAt = Number(bytes.readBigUInt64LE(32));
  const headers = Array.from({ length: bytes.readUInt16LE(56) }, (_, index) => {
    const at = headersAt + index * bytes.readUInt16LE(54);
    const word = (offset: number): number => Number(bytes.readBigUInt64LE(at + offset));
    return { type: bytes.readUInt32LE(at), offset: word(8), address: word(16), size: word(32) };
  });
  const only = (type: number) => {
    const found = headers.find((header) => header.type === type);
    if (found === undefined) throw new Error(`no program header of type ${type}`);
    return found;
  };
  const fileOffset = (address: number): number => {
    const segment = headers.find((its) => its.type === 1 && address >= its.address && address < its.address + its.size);
    if (segment === undefined) throw new Error(`address ${address} is in no segment`);
    return segment.offset + (address - segment.address);
  };
  const dynamic = only(2);
  const entries = Array.from({ length: dynamic.size / 16 }, (_, index) => {
    const at = dynamic.offset + index * 16;
    return { tag: Number(bytes.readBigInt64LE(at)), value: Number(bytes.readBigUInt64LE(at + 8)) };
  });
  const stringsAt = fileOffset(entries.find(({ tag }) => tag === 5)?.value ?? 0);
  const stringsSize = entries.find(({ tag }) => tag === 10)?.value ?? 0;
  const names = bytes.toString("latin1", stringsAt, stringsAt + stringsSize);
  const minors = [...names.matchAll(/\0GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
  const interpreter = only(3);
  return {
    machine: bytes.readUInt16LE(18),
    interpreter: cString(bytes, interpreter.offset),
    needed: entries.filter(({ tag }) => tag === 1).map(({ value }) => cString(bytes, stringsAt + value)),
    glibcMinor: minors.length === 0 ? null : Math.max(...minors),
  };
}

/** A Mach-O program. */
export interface MachFacts {
  readonly cpu: number;
  readonly libraries: readonly string[];
  /** `13.0`: oldest macOS that runs it. */
  readonly minimumSystem: string | null;
  /** Pages whose bytes are not what the signature says; null without a signature. */
  readonly wrongPages: number | null;
}

const LOAD_DYLIB = 0x0c;
const CODE_SIGNATURE = 0x1d;
const BUILD_VERSION = 0x32;

export function readMach(bytes: Buffer): MachFacts {
  if (bytes.readUInt32LE(0) !== 0xfeedfacf) throw new Error("not a 64-bit Mach-O program");
  const libraries: string[] = [];
  let minimumSystem: string | null = null;
  let wrongPages: number | null = null;
  let at = 32;
  for (let left = bytes.readUInt32LE(16); left > 0; left--) {
    const command = bytes.readUInt32LE(at) & 0x7fff_ffff;
    if (command === LOAD_DYLIB) libraries.push(cString(bytes, at + bytes.readUInt32LE(at + 8)));
    if (command === BUILD_VERSION) minimumSystem = `${bytes.readUInt16LE(at + 14)}.${bytes.readUInt8(at + 13)}`;
    if (command === CODE_SIGNATURE) wrongPages = countWrongPages(bytes, bytes.readUInt32LE(at + 8));
    at += bytes.readUInt32LE(at + 4);
  }
  return { cpu: bytes.readUInt32LE(4), libraries, minimumSystem, wrongPages };
}

/** @see https://github.com/apple-oss-distributions/xnu/blob/main/osfmk/kern/cs_blobs.h (read 2026-11-24) */
function countWrongPages(bytes: Buffer, signatureAt: number): number {
  if (bytes.readUInt32BE(signatureAt) !== 0xfade0cc0) throw new Error("the signature is no super blob");
  const directoryAt = signatureAt + bytes.readUInt32BE(signatureAt + 16);
  if (bytes.readUInt32BE(directoryAt) !== 0xfade0c02) throw new Error("the signature has no code directory first");
  const hashesAt = directoryAt + bytes.readUInt32BE(directoryAt + 16);
  const pages = bytes.readUInt32BE(directoryAt + 28);
  const codeLimit = bytes.readUInt32BE(directoryAt + 32);
  const hashSize = bytes.readUInt8(directoryAt + 36);
  const pageSize = 1 << bytes.readUInt8(directoryAt + 39);
  if (hashSize !== 32 || codeLimit !== signatureAt || pages !== Math.ceil(codeLimit / pageSize)) {
    throw new Error("the code directory does not cover the program");
  }
  let wrong = 0;
  for (let page = 0; page < pages; page++) {
    const code = bytes.subarray(page * pageSize, Math.min((page + 1) * pageSize, codeLimit));
    const hash = bytes.subarray(hashesAt + page * hashSize, hashesAt + (page + 1) * hashSize);
    if (!createHash("sha256").update(code).digest().equals(hash)) wrong++;
  }
  return wrong;
}

/** A program of Windows. @see https://learn.microsoft.com/windows/win32/debug/pe-format (read 2026-11-24) */
export interface PeFacts {
  readonly machine: number;
  /** 3: console. */
  readonly subsystem: number;
}

export function readPe(bytes: Buffer): PeFacts {
  const at = bytes.readUInt32LE(0x3c);
  if (bytes.toString("latin1", 0, 2) !== "MZ" || bytes.toString("latin1", at, at + 4) !== "PE\0\0") {
    throw new Error("not a program of Windows");
  }
  return { machine: bytes.readUInt16LE(at + 4), subsystem: bytes.readUInt16LE(at + 24 + 68) };
}

function cString(bytes: Buffer, at: number): string {
  return bytes.toString("latin1", at, bytes.indexOf(0, at));
}
