/** 97.5 % of a normal variable is below. */
export const Z95 = 1.959963984540054;

/**
 * The t that 97.5 % of Student’s variable are below: Fisher and Cornish’s expansion about the normal one
 * (Abramowitz and Stegun 26.7.5). From 20 degrees of freedom on its error is below 1e-6.
 */
export function tQuantile(df: number): number {
  const z = Z95;
  const g1 = (z ** 3 + z) / 4;
  const g2 = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  const g3 = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
  const g4 = (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92160;
  return z + g1 / df + g2 / df ** 2 + g3 / df ** 3 + g4 / df ** 4;
}
