/**
 * Memory for a request's body and tensors. Fresh pages cost more than what is written into them (0.3 ms for
 * 600 KB), so one block is kept from request to request. Lambda runs one at a time; where several overlap,
 * all but the first get fresh memory.
 */
export type Memory = {
  /** @returns `bytes` of memory with anything in it, at a multiple of 64 */
  take(bytes: number): { readonly buffer: ArrayBuffer; readonly offset: number };
  /** Gives it back: nothing that lies there may be read any more. */
  giveBack(): void;
};

export const FRESH_MEMORY: Memory = {
  take: (bytes) => ({ buffer: new ArrayBuffer(bytes), offset: 0 }),
  giveBack() {},
};

/**
 * Enough for the tensors of any request that Lambda carries uncompressed, little beside ONNX Runtime's own.
 */
const KEPT_BYTES = 8 * 1024 * 1024;
/** Below this, allocating is cheaper than keeping account. */
const SMALL_BYTES = 4096;

let block = new ArrayBuffer(0);
let wanted = 0;
let lent = false;

/** Lends the block until `giveBack`. */
export function borrow(): Memory {
  if (lent) return FRESH_MEMORY;
  lent = true;
  // The first request of a size shows what the next one will want.
  if (wanted > block.byteLength) block = new ArrayBuffer(wanted);
  let used = 0;
  return {
    take(bytes) {
      if (bytes < SMALL_BYTES) return FRESH_MEMORY.take(bytes);
      const offset = used;
      const end = offset + Math.ceil(bytes / 64) * 64;
      if (end <= KEPT_BYTES) wanted = Math.max(wanted, end);
      if (end > block.byteLength) {
        if (end <= KEPT_BYTES) used = end;
        return FRESH_MEMORY.take(bytes);
      }
      used = end;
      return { buffer: block, offset };
    },
    giveBack() {
      lent = false;
    },
  };
}
