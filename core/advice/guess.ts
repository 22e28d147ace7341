/** What stands in for a number that nobody measured. Whoever reads it is told so. */

/**
 * Seconds that one thread computes a request: a handler's 2 ms, and each weight read once at 10 GB/s. Nets
 * that use a weight many times (convolutions, long texts) take longer.
 */
export const guessedService = (bytes: number): number => 0.002 + bytes / 10e9;

/**
 * MB of a process: at least what has one vCPU on Lambda. Node, the runtime and what it makes of the weights
 * took 210 MB for 90 MB of weights.
 */
export const guessedMemory = (bytes: number): number =>
  Math.max(1769, Math.ceil(100 + (1.3 * bytes) / 1024 ** 2));

/** Bytes of a request and its answer, of which nothing is known. */
export const GUESSED_PAYLOAD = 2048;
