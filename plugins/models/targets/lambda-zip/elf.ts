/** What a shared library asks of the machine it is loaded on. */
export type Elf = {
  /** `e_machine`: 62 is x86-64, 183 AArch64. */
  readonly machine: number;
  /** `DT_NEEDED`: names of the libraries it loads. */
  readonly needed: readonly string[];
  /** Symbol versions it needs of them, for example `GLIBC_2.28`. */
  readonly versions: readonly string[];
};

/**
 * Reads the dynamic section of a 64-bit little-endian ELF file, which is what both of Lambda's architectures
 * use. Layout: https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html
 *
 * @throws RangeError or Error where the bytes are none
 */
export function readElf(file: Uint8Array): Elf {
  const view = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (view.length < 64 || view.readUInt32BE(0) !== 0x7f454c46 || view[4] !== 2 || view[5] !== 1) {
    throw new Error('not a 64-bit little-endian ELF file');
  }
  const u64 = (at: number): number => Number(view.readBigUInt64LE(at));
  const sections = Array.from({ length: view.readUInt16LE(60) }, (_, index) => {
    const at = u64(40) + index * view.readUInt16LE(58);
    return {
      type: view.readUInt32LE(at + 4),
      offset: u64(at + 24),
      size: u64(at + 32),
      link: view.readUInt32LE(at + 40),
    };
  });
  const string = (table: number, at: number): string => {
    const start = (sections[table]?.offset ?? 0) + at;
    return view.toString('latin1', start, view.indexOf(0, start));
  };

  const needed: string[] = [];
  const dynamic = sections.find(({ type }) => type === 6); // SHT_DYNAMIC
  for (let at = 0; dynamic && at < dynamic.size; at += 16) {
    // DT_NEEDED
    if (u64(dynamic.offset + at) === 1) needed.push(string(dynamic.link, u64(dynamic.offset + at + 8)));
  }

  const versions: string[] = [];
  const needs = sections.find(({ type }) => type === 0x6ffffffe); // SHT_GNU_verneed
  for (let at = needs?.offset ?? 0, next = needs ? 1 : 0; needs && next > 0; at += next) {
    const count = view.readUInt16LE(at + 2);
    for (let entry = at + view.readUInt32LE(at + 8), n = 0; n < count; n += 1) {
      versions.push(string(needs.link, view.readUInt32LE(entry + 8)));
      entry += view.readUInt32LE(entry + 12);
    }
    next = view.readUInt32LE(at + 12);
  }
  return { machine: view.readUInt16LE(18), needed, versions };
}
