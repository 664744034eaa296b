/** A tar archive, compressed, whose bytes depend on nothing but what is in it. */

/** One file of an archive. */
export interface ArchiveFile {
  /** With `/`, at most 100 bytes. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly executable?: boolean;
}

const BLOCK_BYTES = 512;

/**
 * A gzipped ustar archive: files in the order given, owned by root.
 * @param seconds time of all files, since the epoch
 * @see https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06 (read 2026-11-24)
 */
export function renderArchive(files: readonly ArchiveFile[], seconds: number): Uint8Array<ArrayBuffer> {
  const parts = files.flatMap((file) => {
    const padding = new Uint8Array((BLOCK_BYTES - (file.bytes.length % BLOCK_BYTES)) % BLOCK_BYTES);
    return [renderHeader(file, seconds), file.bytes, padding];
  });
  // Two empty blocks are the end.
  return Bun.gzipSync(Buffer.concat([...parts, new Uint8Array(2 * BLOCK_BYTES)]), { level: 6 });
}

function renderHeader({ path, bytes, executable = false }: ArchiveFile, seconds: number): Uint8Array {
  if (Buffer.byteLength(path) > 100) throw new Error(`${path} is too long a name for the archive`);
  const header = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, "0")}\0`;
  header.write(path, 0);
  header.write(octal(executable ? 0o755 : 0o644, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(bytes.length, 11), 124);
  header.write(octal(seconds, 11), 136);
  // The sum is taken with spaces in its own place.
  header.write("        ", 148);
  header.write("0", 156);
  header.write("ustar\x0000", 257);
  header.write("root", 265);
  header.write("root", 297);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}
