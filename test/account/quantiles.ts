/** Quantiles of measured times. Pure. */

/** The least value that at least this share of all does not exceed. @param share 0 to 1 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** `p50 12 ms, p90 20 ms, p99 31 ms, n = 100` */
export function quantilesText(values: readonly number[], unit = 'ms'): string {
  if (values.length === 0) return 'n = 0';
  const shown = [50, 90, 99].map(
    (percent) => `p${percent} ${short(quantile(values, percent / 100))} ${unit}`,
  );
  return `${shown.join(', ')}, n = ${values.length}`;
}

/** Three digits are enough. */
const short = (value: number): string =>
  value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
