/**
 * IEEE 754 binary16, manually: `Float16Array` is missing in Node 22, which `serve` supports, and ONNX
 * Runtime's binding takes 16-bit floats as `Uint16Array` only (its N-API has no type for the other).
 */

/**
 * @returns the nearest half's bits, ties to even, rounded once from the double; beyond 65,504 + half a step
 * infinity
 */
export function toHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(size)) return 0x7e00;
  if (size >= 65_520) return sign | 0x7c00;
  // The distance of neighbouring halves is a power of two, so the division is exact; below 2^−14 they are
  // subnormal.
  const exponent = size < 2 ** -14 ? -14 : exponentOf(size);
  const steps = roundHalfEven(size / 2 ** (exponent - 10));
  // 1,024 steps are implied by the exponent; a carry into it is what rounding up to the next power of two
  // should do.
  return sign | (size < 2 ** -14 ? steps : ((exponent + 15) << 10) + (steps - 1024));
}

export function fromHalf(bits: number): number {
  if ((bits & 0x7c00) === 0x7c00) {
    if ((bits & 0x3ff) !== 0) return Number.NaN;
    return bits & 0x8000 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  // As the bits of a float32 whose exponent is too small by 112; a power would take ten times as long.
  asBits[0] = ((bits & 0x8000) << 16) | ((bits & 0x7fff) << 13);
  return (asFloat[0] as number) * 2 ** 112;
}
const asFloat = new Float32Array(1);
const asBits = new Uint32Array(asFloat.buffer);

export const isFiniteHalf = (bits: number): boolean => (bits & 0x7c00) !== 0x7c00;

const scratch = new DataView(new ArrayBuffer(8));
/** The exponent of a normal double. */
function exponentOf(size: number): number {
  scratch.setFloat64(0, size);
  return (scratch.getUint16(0) >> 4) - 1023;
}

/** For 0 ≤ x ≤ 2^51: adding 2^52 leaves no bits for a fraction, and doubles round ties to even. */
function roundHalfEven(x: number): number {
  return x + 2 ** 52 - 2 ** 52;
}
