/** The worked example of docs/judge.md: step 1 at 5 %, then step 2 at 25 %. */
import type { Minute } from '../../../../core/judge/minutes.ts';

/** The candidate's requests and errors, the stable version's requests and errors. */
const COUNTS: readonly (readonly [n1: number, x1: number, n2: number, x2: number])[] = [
  [31, 0, 569, 5],
  [28, 1, 572, 6],
  [30, 0, 570, 7],
  [33, 2, 567, 5],
  [148, 3, 452, 4],
  [152, 6, 448, 5],
  [150, 5, 450, 3],
  [149, 4, 451, 4],
  [151, 5, 449, 5],
  [147, 3, 453, 4],
  [153, 5, 447, 3],
  [150, 4, 450, 4],
];
const side = (n: number, x: number) => ({ invocations: n, crashes: 0, requests: n, errors: x });

export const EXAMPLE: readonly Minute[] = COUNTS.map(([n1, x1, n2, x2], i) => ({
  at: new Date(Date.UTC(2026, 0, 1, 12, i)).toISOString(),
  step: i < 4 ? 0 : 1,
  weight: i < 4 ? 0.05 : 0.25,
  candidate: side(n1, x1),
  stable: side(n2, x2),
}));
