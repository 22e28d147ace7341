import { chiTail } from './gamma.ts';

/** `live` rows of `of`, where the reference had `before` of `among`. */
export type Share = {
  readonly live: number;
  readonly of: number;
  readonly before: number;
  readonly among: number;
};

/** Rows, seen or expected, below which a share says nothing: chi² would call a single row drift. */
const LEAST = 5;

/**
 * Chi² of a share, such as that of missing values, which in the reference may well be none: two cells that are never joined.
 * @param phi overdispersion, at least 1
 * @returns nothing where there are too few such rows, here and in the reference
 */
export function shareTest(
  { live, of, before, among }: Share,
  phi: number,
): { readonly x2: number; readonly p: number } | undefined {
  if (!(of > 0 && among > 0)) return undefined;
  const expected = (before * of) / among;
  if (Math.max(live, expected) < LEAST || Math.max(of - live, of - expected) < LEAST) return undefined;
  const [up, down] = [Math.sqrt(among / of), Math.sqrt(of / among)];
  const cell = (c: number, b: number): number => (c + b === 0 ? 0 : (c * up - b * down) ** 2 / (c + b));
  const x2 = cell(live, before) + cell(of - live, among - before);
  return { x2, p: chiTail(1, x2 / phi) };
}
