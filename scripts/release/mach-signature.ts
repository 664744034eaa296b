/**
 * Taking the signature off a program for macOS. `bun build --compile` signs anew for arm64, but leaves on an x64 program the
 * signature of the runtime, which no longer fits its bytes; macOS ends such a program, and runs one on x64 that has none.
 */

const SEGMENT_64 = 0x19;
const CODE_SIGNATURE = 0x1d;
const HEADER_BYTES = 32;
const PAGE_BYTES = 4096;

/**
 * The program less its signature, as `codesign --remove-signature` leaves it: the load command, the data at the end of the file,
 * and its share of the segment that holds it.
 * @throws Error when it is no 64-bit Mach-O program, or its signature is not where linkers put it
 * @see https://github.com/apple-oss-distributions/xnu/blob/main/EXTERNAL_HEADERS/mach-o/loader.h (read 2026-11-24)
 */
export function removeSignature(program: Buffer): Buffer {
  if (program.readUInt32LE(0) !== 0xfeedfacf) throw new Error("not a 64-bit Mach-O program");
  const commands = program.readUInt32LE(16);
  const commandBytes = program.readUInt32LE(20);
  let at = HEADER_BYTES;
  let linkEditAt: number | null = null;
  for (let index = 0; index < commands; index++) {
    const command = program.readUInt32LE(at);
    const size = program.readUInt32LE(at + 4);
    if (command === SEGMENT_64 && program.toString("latin1", at + 8, at + 18) === "__LINKEDIT") linkEditAt = at;
    if (command === CODE_SIGNATURE) {
      const end = program.readUInt32LE(at + 8);
      const isLast = index === commands - 1 && end + program.readUInt32LE(at + 12) === program.length;
      if (!isLast || linkEditAt === null) throw new Error("the signature is not at the end of the program");
      const bare = Buffer.from(program.subarray(0, end));
      bare.fill(0, at, at + size);
      bare.writeUInt32LE(commands - 1, 16);
      bare.writeUInt32LE(commandBytes - size, 20);
      const fileBytes = end - Number(bare.readBigUInt64LE(linkEditAt + 40));
      bare.writeBigUInt64LE(BigInt(Math.ceil(fileBytes / PAGE_BYTES) * PAGE_BYTES), linkEditAt + 32);
      bare.writeBigUInt64LE(BigInt(fileBytes), linkEditAt + 48);
      return bare;
    }
    at += size;
  }
  return program;
}
