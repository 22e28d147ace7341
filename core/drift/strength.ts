import type { SignalWindow } from './contract.ts';

/**
 * p of several tests of one question: the least, times their number (Bonferroni).
 *
 * @param ps none where nothing was asked
 */
export const bonferroni = (ps: readonly number[]): number => Math.min(1, ps.length * Math.min(1, ...ps));

/** p of a signal's values as it counted; undefined where they could not be judged. */
export function valuesChance({
  smooth,
  chi,
  unseen,
}: Pick<SignalWindow, 'smooth' | 'chi' | 'unseen'>): number | undefined {
  const ps = [smooth, chi, unseen].flatMap((test) => (test === undefined ? [] : [test.p]));
  return ps.length === 0 ? undefined : bonferroni(ps);
}

/** As many values are missing as makes more of a change than the values themselves. */
export const isMissingMost = ({ size, missing }: Pick<SignalWindow, 'size' | 'missing'>): boolean =>
  missing !== undefined && missing.size > (size ?? -1);

/**
 * The larger of a signal's two changes, of its values and of how many are missing: its size in σ, and its p.
 */
export function strongest(found: SignalWindow): { readonly size?: number; readonly p?: number } {
  const { size, missing } = found;
  if (missing !== undefined && isMissingMost(found)) return { size: missing.size, p: missing.p };
  const p = valuesChance(found);
  return { ...(size !== undefined && { size }), ...(p !== undefined && { p }) };
}
