import { escapeHtml } from '../../../core/catalog/escape.ts';

/** One line of a picture with two scales. Points are ascending in x. */
export type XyLine = {
  readonly label: string;
  /** Name of a colour of the page's style. */
  readonly colour: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly isDashed?: boolean;
  /** Each point is shown, too. */
  readonly hasDots?: boolean;
};

export type XyScale = {
  readonly label: string;
  /** Ticks, where they stand and what they say. */
  readonly ticks: readonly (readonly [at: number, text: string])[];
  readonly from: number;
  readonly to: number;
};

/** A line across, with a word at it. */
export type XyMark = {
  readonly axis: 'x' | 'y';
  readonly at: number;
  readonly label: string;
  readonly colour: string;
};

const WIDTH = 640;
const HEIGHT = 260;
const LEFT = 84;
const RIGHT = 16;
const TOP = 24;
const BOTTOM = 48;

/** Values by values as an SVG text: no script, no font, no colour that only one theme has. Pure. */
export function xyChart(
  title: string,
  x: XyScale,
  y: XyScale,
  lines: readonly XyLine[],
  marks: readonly XyMark[] = [],
): string {
  const place = (scale: XyScale, value: number, start: number, end: number): number =>
    start + ((value - scale.from) / Math.max(scale.to - scale.from, Number.MIN_VALUE)) * (end - start);
  const atX = (value: number): number => place(x, value, LEFT, WIDTH - RIGHT);
  const atY = (value: number): number => place(y, value, HEIGHT - BOTTOM, TOP);
  const grid = [
    ...y.ticks.map(
      ([at, text]) =>
        `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${short(atY(at))}" y2="${short(atY(at))}" stroke="var(--line)"/><text x="${LEFT - 6}" y="${short(atY(at) + 4)}" text-anchor="end">${escapeHtml(text)}</text>`,
    ),
    ...x.ticks.map(
      ([at, text]) =>
        `<line x1="${short(atX(at))}" x2="${short(atX(at))}" y1="${HEIGHT - BOTTOM}" y2="${HEIGHT - BOTTOM + 4}" stroke="var(--edge)"/><text x="${short(atX(at))}" y="${HEIGHT - BOTTOM + 20}" text-anchor="middle">${escapeHtml(text)}</text>`,
    ),
    `<text x="${WIDTH - RIGHT}" y="${HEIGHT - 4}" text-anchor="end">${escapeHtml(x.label)}</text>`,
    `<text x="4" y="${TOP - 10}">${escapeHtml(y.label)}</text>`,
  ];
  const drawn = lines.flatMap(({ colour, points, isDashed, hasDots }) => [
    `<polyline points="${points.map(([a, b]) => `${short(atX(a))},${short(atY(b))}`).join(' ')}" fill="none" stroke="var(--${colour})" stroke-width="2"${isDashed ? ' stroke-dasharray="5 4"' : ''}/>`,
    ...(hasDots
      ? points.map(
          ([a, b]) => `<circle cx="${short(atX(a))}" cy="${short(atY(b))}" r="3.5" fill="var(--${colour})"/>`,
        )
      : []),
  ]);
  const across = marks.map(({ axis, at, label, colour }) => {
    const where = short(axis === 'x' ? atX(at) : atY(at));
    const end = axis === 'x' && atX(at) > WIDTH / 2;
    const line =
      axis === 'x'
        ? `x1="${where}" x2="${where}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"`
        : `x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${where}" y2="${where}"`;
    const text =
      axis === 'x'
        ? `x="${short(atX(at) + (end ? -6 : 6))}" y="${TOP + 12}"${end ? ' text-anchor="end"' : ''}`
        : `x="${LEFT + 6}" y="${short(atY(at) - 5)}"`;
    return `<line ${line} stroke="var(--${colour})" stroke-dasharray="2 3"/><text ${text}>${escapeHtml(label)}</text>`;
  });
  const legend = lines.map(
    ({ colour, label }) => `<li><i style="background:var(--${colour})"></i>${escapeHtml(label)}</li>`,
  );
  return `<figure><figcaption>${escapeHtml(title)}</figcaption><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(title)}">${[...grid, ...across, ...drawn].join('')}</svg><ul class="legend">${legend.join('')}</ul></figure>`;
}

const short = (value: number): string => String(Number(value.toFixed(1)));

const LEAST = 1e-300;

/** A scale from 0 with three to six even ticks. @param text of a tick */
export function evenScale(label: string, most: number, text: (value: number) => string): XyScale {
  // Nothing was measured, or nothing that has a step.
  const top = most > LEAST ? most : 1;
  const rough = top / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((times) => times * power >= rough) ?? 10) * power;
  const count = Math.max(1, Math.ceil(top / step - 1e-9));
  const ticks = Array.from({ length: count + 1 }, (_, i) => [i * step, text(i * step)] as const);
  return { label, ticks, from: 0, to: count * step };
}
