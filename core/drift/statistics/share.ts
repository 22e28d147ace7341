import { chiTail } from './gamma.ts';
import { rareTail } from './rare.ts';

/** `live` rows of `of`, where the reference had `before` of `among`. */
export type Share = {
  readonly live: number;
  readonly of: number;
  readonly before: number;
  readonly among: number;
};

/**
 * Rows that a cell must expect for chi²; and, where it expects fewer, must have: nobody is woken for a single
 * one.
 */
const LEAST = 5;
/**
 * Rows of a reference that is the smaller sample, below which chi² is not taken: what chance gave it too many
 * of, every window would be called different by.
 */
const FEW = 50;

/**
 * Test of a share, for example that of missing values, which in the reference may well be none: two cells
 * that are never joined. Exact where one of them expects hardly any row, and where a small reference has few.
 * @param phi overdispersion, at least 1
 * @returns X² of it, which its size follows from, and p; nothing where there are too few such rows, here and
 * in the reference
 */
export function shareTest(
  { live, of, before, among }: Share,
  phi: number,
): { readonly x2: number; readonly p: number } | undefined {
  if (!(of > 0 && among > 0)) return undefined;
  const [up, down] = [Math.sqrt(among / of), Math.sqrt(of / among)];
  const cells = [
    { now: live, was: before },
    { now: of - live, was: among - before },
  ];
  const x2 = cells.reduce(
    (sum, { now, was }) => sum + (now + was === 0 ? 0 : (now * up - was * down) ** 2 / (now + was)),
    0,
  );
  const rare = cells.find(({ was }) => (was * of) / among < LEAST);
  if (rare !== undefined)
    return rare.now < LEAST ? undefined : { x2, p: rareTail(Math.floor(rare.now), of, rare.was, among, phi) };
  const few = of > among ? cells.find(({ was }) => was < FEW) : undefined;
  if (few === undefined) return { x2, p: chiTail(1, x2 / phi) };
  const [now, { was }] = [Math.floor(few.now), few];
  const least = Math.min(rareTail(now, of, was, among, phi), rareTail(was, among, now, of, phi));
  return { x2, p: Math.min(1, 2 * least) };
}
