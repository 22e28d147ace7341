import { escapeHtml } from '../../../core/catalog/escape.ts';

/** Pictures as SVG texts: no script, no font, no colour that only one theme has. Pure. */

/** One line or area of a chart: values by the chart's times; undefined where nothing is known. */
export type Course = {
  readonly label: string;
  /** Name of a colour of the page's style. */
  readonly colour: string;
  readonly values: readonly (number | undefined)[];
};

const WIDTH = 640;
const HEIGHT = 190;
const LEFT = 76;
const BOTTOM = 28;
const TOP = 12;

/** @param times milliseconds, ascending; @param unit after the numbers of the scale */
export function lineChart(
  title: string,
  times: readonly number[],
  courses: readonly Course[],
  unit = '',
): string {
  const known = courses.flatMap(({ values }) => values.filter((value) => value !== undefined));
  const [first, last] = [times[0], times.at(-1)];
  if (known.length === 0 || first === undefined || last === undefined) return nothing(title);
  const most = niceAbove(Math.max(...known, 0));
  const x = (at: number): number =>
    last === first ? LEFT : LEFT + ((at - first) / (last - first)) * (WIDTH - LEFT - 8);
  const y = (value: number): number => HEIGHT - BOTTOM - (value / most) * (HEIGHT - BOTTOM - TOP);
  const lines = courses.map(
    ({ colour, values }) =>
      `<path d="${pathOf(values.map((value, i) => (value === undefined ? undefined : [x(times[i] ?? first), y(value)])))}" fill="none" stroke="var(--${colour})" stroke-width="1.5"/>`,
  );
  const grid = [0, 0.5, 1].map((share) => {
    const at = y(share * most);
    return `<line x1="${LEFT}" x2="${WIDTH - 8}" y1="${round(at)}" y2="${round(at)}" stroke="var(--line)"/><text x="${LEFT - 6}" y="${round(at + 4)}" text-anchor="end">${escapeHtml(figure(share * most) + unit)}</text>`;
  });
  const ends = [
    `<text x="${LEFT}" y="${HEIGHT - 6}">${escapeHtml(stamp(first))}</text>`,
    `<text x="${WIDTH - 8}" y="${HEIGHT - 6}" text-anchor="end">${escapeHtml(stamp(last))}</text>`,
  ];
  return picture(title, WIDTH, HEIGHT, [...grid, ...lines, ...ends], courses);
}

/** Shares of the reference and of live rows in the same cells, side by side. */
export function histogram(
  title: string,
  reference: readonly number[],
  live: readonly number[],
  labels: readonly string[],
): string {
  const [all, seen] = [sum(reference), sum(live)];
  if (all === 0 || seen === 0) return nothing(title);
  const [width, height, bottom] = [320, 110, 16];
  const shares = labels.map((_, i) => [(reference[i] ?? 0) / all, (live[i] ?? 0) / seen] as const);
  const most = Math.max(...shares.flat());
  const room = width / Math.max(1, labels.length);
  const bar = (share: number, i: number, second: boolean): string => {
    const tall = (share / most) * (height - bottom - 4);
    const wide = room * 0.38;
    const left = i * room + room * 0.1 + (second ? wide : 0);
    return `<rect x="${round(left)}" y="${round(height - bottom - tall)}" width="${round(wide)}" height="${round(tall)}" fill="var(--${second ? 'accent' : 'edge'})"><title>${escapeHtml(`${labels[i]}: ${second ? 'live' : 'reference'} ${percent(share)}`)}</title></rect>`;
  };
  const bars = shares.flatMap(([before, now], i) => [bar(before, i, false), bar(now, i, true)]);
  const ends = [
    `<text x="0" y="${height - 2}">${escapeHtml(labels[0] ?? '')}</text>`,
    `<text x="${width}" y="${height - 2}" text-anchor="end">${escapeHtml(labels.at(-1) ?? '')}</text>`,
  ];
  return picture(title, width, height, [...bars, ...ends], []);
}

function picture(
  title: string,
  width: number,
  height: number,
  parts: readonly string[],
  courses: readonly Course[],
): string {
  const legend =
    courses.length === 0
      ? ''
      : `<ul class="legend">${courses.map(({ label, colour }) => `<li><i style="background:var(--${colour})"></i>${escapeHtml(label)}</li>`).join('')}</ul>`;
  return `<figure><figcaption>${escapeHtml(title)}</figcaption><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(title)}">${parts.join('')}</svg>${legend}</figure>`;
}

const nothing = (title: string): string =>
  `<figure><figcaption>${escapeHtml(title)}</figcaption><p class="note">Nothing is known of this time.</p></figure>`;

/** A gap where a value is not known; a point by itself is a short dash. */
function pathOf(points: readonly (readonly [number, number] | undefined)[]): string {
  let text = '';
  let open = false;
  points.forEach((point, i) => {
    if (point === undefined) {
      open = false;
      return;
    }
    const [x, y] = point;
    text += `${open ? 'L' : 'M'}${round(x)} ${round(y)}`;
    if (!open && points[i + 1] === undefined) text += 'h2';
    open = true;
  });
  return text;
}

/** 1, 2 or 5 times a power of ten. */
function niceAbove(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const round = (value: number): string => String(Number(value.toFixed(1)));
export const figure = (value: number): string =>
  value >= 10_000 ? `${Number((value / 1000).toPrecision(3))}k` : String(Number(value.toPrecision(3)));

/** Digits that a number of 32 bits has for sure, and one of 64. */
const [SINGLE_DIGITS, DOUBLE_DIGITS] = [7, 15];

/**
 * Figures of ascending values, with as many digits as tell them apart: years differ in the fourth. One value
 * by itself has all of its own.
 */
export function figuresApart(values: readonly number[]): readonly string[] {
  const gaps = values.slice(1).map((value, i) => value - (values[i] as number));
  const [room, most] =
    gaps.length === 0 ? [0, SINGLE_DIGITS] : [Math.min(...gaps) / SMALL_PART, DOUBLE_DIGITS];
  let digits = FEW_DIGITS;
  const rounded = (value: number): number => Number(value.toPrecision(digits));
  while (digits < most && values.some((value) => Math.abs(rounded(value) - value) > room)) digits += 1;
  return digits === FEW_DIGITS ? values.map(figure) : values.map((value) => String(rounded(value)));
}
const FEW_DIGITS = 3;
/** A difference of two values is told to so small a part of it. */
const SMALL_PART = 20;

const percent = (share: number): string => `${Number((100 * share).toPrecision(2))} %`;
/** `2026-11-25 14:05`, in UTC: a report may go back for more than a year, and is kept for longer. */
export const stamp = (at: number): string => new Date(at).toISOString().slice(0, 16).replace('T', ' ');
