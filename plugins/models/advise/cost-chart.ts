import { RATES } from '../../../core/advice/break-even.ts';
import type { Form, FormAdvice } from '../../../core/advice/contract.ts';
import { FORM_NAMES, numberWords, rateWords } from '../../../core/advice/words.ts';
import { type XyMark, type XyScale, xyChart } from '../page/xy-chart.ts';

/**
 * Dollars a month by requests a second, both by powers of ten: a line is a proportion, a flat one is idle
 * time.
 */

const LINES: Readonly<Record<Form, { readonly colour: string; readonly isDashed?: true }>> = {
  'on-demand': { colour: 'accent' },
  provisioned: { colour: 'ink', isDashed: true },
  managed: { colour: 'good' },
  fargate: { colour: 'warm' },
  kubernetes: { colour: 'bad' },
  sagemaker: { colour: 'edge' },
  batch: { colour: 'soft', isDashed: true },
  edge: { colour: 'line' },
};
/** Dollars below which nobody compares. */
const LEAST = 0.1;

export function costChart({ breakEven, cheapest, curve }: FormAdvice, traffic: number | undefined): string {
  const crossings = [...cheapest.map(({ from }) => from), ...breakEven.flatMap(({ first }) => first ?? [])];
  const known = [...crossings.filter((rate) => rate > 0), ...(traffic === undefined ? [] : [traffic])];
  const left = Math.max(RATES.lowest, Math.min(0.1, ...known.map((rate) => rate / 10)));
  const right = Math.min(RATES.highest, Math.max(100, ...known.map((rate) => rate * 5)));
  const x = decades('requests/s', left, right, short);
  const lines = curve.lines.map(({ dollars, form }) => ({
    ...LINES[form],
    label: FORM_NAMES[form],
    points: curve.rates.flatMap((rate, i) => {
      const at = Math.log10(rate);
      const cost = dollars[i] ?? 0;
      return at >= x.from && at <= x.to ? [[at, Math.log10(Math.max(LEAST, cost))] as const] : [];
    }),
  }));
  const most = Math.max(...lines.flatMap(({ points }) => points.map(([, cost]) => 10 ** cost)));
  const y = decades('', LEAST, most, (dollars) => `$${short(dollars)}`);
  const isShown = (rate: number): boolean => Math.log10(rate) >= x.from && Math.log10(rate) <= x.to;
  const marks: XyMark[] = [
    ...(traffic === undefined || !isShown(traffic)
      ? []
      : [{ axis: 'x', at: Math.log10(traffic), label: rateWords(traffic), colour: 'ink' } as const]),
    // The word of each is in the list beside the picture; here they would lie on one another.
    ...cheapest
      .filter(({ from }) => from > left && from < right)
      .map(({ from }) => ({ axis: 'x', at: Math.log10(from), label: '', colour: 'soft' }) as const),
  ];
  return xyChart('Dollars a month by requests a second', x, y, lines, marks);
}

/** `0.1`, `10`, `100k` */
const short = (value: number): string =>
  value >= 1000 ? `${numberWords(value / 1000)}k` : numberWords(value);

/** A scale of powers of ten, whole ones at both ends. */
function decades(label: string, least: number, most: number, text: (value: number) => string): XyScale {
  const [from, to] = [Math.floor(Math.log10(least) + 1e-9), Math.ceil(Math.log10(most) - 1e-9)];
  const ticks = Array.from(
    { length: Math.max(1, to - from) + 1 },
    (_, i) => [from + i, text(10 ** (from + i))] as const,
    // On a telephone there is room for five.
  ).filter(([at]) => to - from <= 4 || (at - from) % 2 === 0);
  return { label, ticks, from, to: Math.max(to, from + 1) };
}
