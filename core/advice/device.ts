import type { ModelSize, Rung } from './contract.ts';

/** What the weights of a model take at least, before anything is loaded: a lower bound, and no promise. */

/** Smaller forms of weights. In blocks of 32 each has a 32-bit scale: one bit more for each weight. */
const RUNGS = [
  { name: 'fp32', bits: 32 },
  { name: 'fp16', bits: 16 },
  { name: 'int8', bits: 8 },
  { name: 'int4', bits: 4 },
] as const;
const SCALE_BITS = 1;

/** Numbers of the model that are learnt, as far as their types tell. */
export const parametersOf = ({ weights }: ModelSize): number =>
  weights.reduce((sum, { canShrink, elements }) => sum + (canShrink ? elements : 0), 0);

/** As stored. */
export const bytesStored = ({ weights, rest }: ModelSize): number =>
  weights.reduce((sum, { bits, elements }) => sum + (elements * bits) / 8, rest);

/** Bytes of each precision that is not larger than what is stored, largest first. */
export function rungsOf({ weights, rest }: ModelSize): readonly Rung[] {
  const widest = weights.reduce((most, { bits, canShrink }) => (canShrink ? Math.max(most, bits) : most), 0);
  return RUNGS.filter(({ bits }) => bits <= widest).map(({ name, bits }) => ({
    name,
    bytes: weights.reduce(
      (sum, one) => sum + (one.elements * (one.canShrink ? Math.min(one.bits, bits) : one.bits)) / 8,
      rest,
    ),
  }));
}

/** What the scales of blocks of 32 add to the 8-bit and 4-bit forms. */
export const scaleBytes = (size: ModelSize): number => (parametersOf(size) * SCALE_BITS) / 8;

/**
 * How many times too large the smallest form is, as a number that a person remembers: one digit, rounded up.
 */
export function cutFor(bytes: number, room: number): number {
  const times = bytes / room;
  if (times <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(times));
  return Math.ceil(times / power - 1e-9) * power;
}
