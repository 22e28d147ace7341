import { readFileSync } from 'node:fs';

/**
 * A page’s size, among what the kernel tells each process:
 * https://man7.org/linux/man-pages/man3/getauxval.3.html
 */
const AT_PAGESZ = 6n;

/** An entry and its value, eight bytes each. */
const ENTRY_BYTES = 16;

/** As most systems have it. */
const USUAL_BYTES = 4096;

/** @param auxv of a system with 64 bits, as `/proc/self/auxv` has it @returns bytes of a page of memory */
export function pageBytesOf(auxv: Buffer): number {
  for (let at = 0; at + ENTRY_BYTES <= auxv.length; at += ENTRY_BYTES)
    if (auxv.readBigUInt64LE(at) === AT_PAGESZ) return Number(auxv.readBigUInt64LE(at + 8));
  return USUAL_BYTES;
}

/** 4 kB, but 64 kB for some of arm64: https://docs.kernel.org/arch/arm64/memory.html */
let pageBytes: number | undefined;

/**
 * @returns MB of a process that are no file’s, which others share; 0 where the system does not say
 * https://man7.org/linux/man-pages/man5/proc_pid_statm.5.html
 */
export function memoryOf(pid: number): number {
  try {
    const [, resident = 0, shared = 0] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ').map(Number);
    pageBytes ??= pageBytesOf(readFileSync('/proc/self/auxv'));
    return ((resident - shared) * pageBytes) / 1024 / 1024;
  } catch {
    return 0;
  }
}
