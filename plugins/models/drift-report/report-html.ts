import type { BenchDocument } from '../../../core/capacity/contract.ts';
import { milliseconds } from '../../../core/capacity/words.ts';
import { escapeHtml } from '../../../core/catalog/escape.ts';
import type { Baseline, DriftWindow, Signal, SignalWindow } from '../../../core/drift/contract.ts';
import { strongest } from '../../../core/drift/strength.ts';
import { shareWords } from '../../../core/drift/text.ts';
import type { VersionRecord } from '../../../core/release/document/history-contract.ts';
import { percentFigure } from '../../../core/units/percent.ts';
import { figure, figuresApart, histogram, lineChart, stamp } from '../page/charts.ts';
import { REPORT_STYLE } from '../page/report-style.ts';
import { scrolled } from '../page/scrolled.ts';
import type { Past } from '../releases/history/past.ts';
import { whys } from '../releases/history/text.ts';
import { gateLine, VERDICTS } from '../releases/words/lines.ts';
import { promotedLine } from '../releases/words/promoted.ts';
import { cardPart } from './card-html.ts';
import {
  byWeight,
  chanceText,
  countedNoun,
  cutWords,
  damagedWords,
  findingOf,
  headline,
  isDrift,
  laterWords,
  lateWords,
  lengthWords,
  noneWords,
  pastWords,
  period,
  type SeenWindows,
} from './finding.ts';
import type { TrafficPoints } from './traffic.ts';

/** What a report shows of one model. */
export type ReportedModel = {
  readonly model: string;
  readonly functionName: string;
  /** Undefined where CloudWatch could not be asked: `unreadable` says why. */
  readonly traffic?: TrafficPoints;
  readonly unreadable?: string;
  /** What is recorded of the version that is live. */
  readonly live?: VersionRecord;
  /** Newest first. */
  readonly releases: readonly Past[];
  /** Releases that are not among them, in words. */
  readonly left?: readonly string[];
  /** The newest of each version. */
  readonly benches?: readonly BenchDocument[];
  /** Undefined where the model declares no drift. */
  readonly seen?: SeenWindows;
  /** The baseline of the window that is shown. */
  readonly baseline?: Baseline;
};

export type ReportHead = {
  readonly service: string;
  readonly stage: string;
  readonly region: string;
  /** Milliseconds. */
  readonly from: number;
  readonly to: number;
};

/** One page that needs no network and no script, in light and in dark. Pure. */
export function reportHtml(head: ReportHead, subjects: readonly ReportedModel[]): string {
  const title = `${head.service}-${head.stage}: models`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<link rel="icon" href="data:,">
<title>${escapeHtml(title)}</title>
<style>${REPORT_STYLE}</style>
</head>
<body>
<header><h1>${escapeHtml(title)}</h1><p>${escapeHtml(`${head.region}, ${stamp(head.from)} to ${stamp(head.to)} UTC`)}</p></header>
<main>
${subjects.map((subject) => section(subject, head.to)).join('\n')}
</main>
</body>
</html>
`;
}

function section(subject: ReportedModel, now: number): string {
  return `<section><h2>${escapeHtml(subject.model)}</h2><p class="note">${escapeHtml(subject.functionName)}</p>
${cardPart(subject.model, subject.live)}${trafficPart(subject)}
${releasesPart(subject)}
${benchPart(subject)}${driftPart(subject, now)}
</section>`;
}

function trafficPart({ traffic, unreadable }: ReportedModel): string {
  if (traffic === undefined)
    return `<h3>Traffic</h3><p class="note">${escapeHtml(unreadable ?? 'Nothing is known of it.')}</p>`;
  const { times, requests, errors, rejected, p50, p95, p99 } = traffic;
  const total = (values: readonly (number | undefined)[]): number =>
    values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
  const asked = total(requests);
  const failed = total(errors);
  const share = asked === 0 ? '' : ` (${percentFigure(failed / asked, 2)} %)`;
  return `<h3>Traffic and latency</h3>
<p>${escapeHtml(`${countedNoun(asked, 'request', figure(asked))} answered, ${figure(failed)} of them failed${share}, ${figure(total(rejected))} refused.`)}</p>
<div class="charts">
${lineChart('Requests a period', times, [
  { label: 'answered', colour: 'accent', values: requests },
  { label: 'failed', colour: 'bad', values: errors },
  { label: 'refused', colour: 'edge', values: rejected },
])}
${lineChart(
  'Milliseconds in the handler',
  times,
  [
    { label: 'p50', colour: 'good', values: p50 },
    { label: 'p95', colour: 'accent', values: p95 },
    { label: 'p99', colour: 'bad', values: p99 },
  ],
  ' ms',
)}
</div>`;
}

function releasesPart({ model, releases, left = [] }: ReportedModel): string {
  const note = left.map((line) => `<p class="note">${escapeHtml(line)}</p>`).join('');
  if (releases.length === 0) return `<h3>Releases</h3>${note || '<p class="note">None is recorded.</p>'}`;
  const rows = releases.map((past) => {
    const { startedAt, from, to, outcome, promoted, judgements, gate } = past;
    const measured = gate?.metric === undefined ? [] : [`Gate: ${gateLine(gate)}`];
    const looks = judgements.map(
      ({ step, verdict, reason: found }) =>
        `${step === undefined ? 'Judged' : `Step ${step + 1}`}: ${VERDICTS[verdict]}: ${found}`,
    );
    const before = promoted === undefined ? [] : [`from ${promotedLine(promoted)}`];
    return `<tr><td>${escapeHtml(stamp(Date.parse(startedAt)))}</td><td>${escapeHtml(`${from ?? '–'} → ${to ?? '–'}`)}</td><td>${escapeHtml(outcome)}</td><td class="text">${[...before, ...measured, ...looks, ...whys(past)].map(escapeHtml).join('<br>')}</td></tr>`;
  });
  const table = `<table><thead><tr><th>began</th><th>version</th><th>ended</th><th>why, and what was found</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
  return `<h3>Releases</h3>${scrolled(`Releases of ${model}`, table)}${note}`;
}

/** Nothing where nobody has measured. */
function benchPart({ model, benches = [] }: ReportedModel): string {
  if (benches.length === 0) return '';
  const rows = benches.flatMap(({ at, curve, scenarios, target }) =>
    scenarios.map(({ scenario, verdict, rate, percentiles, promised, samples }) => {
      const p99 = percentiles.find(({ percentile }) => percentile === 0.99);
      const cells = [
        target.version ?? '–',
        stamp(Date.parse(at)),
        `${scenario}${rate === undefined ? '' : ` at ${figure(rate)}/s`}`,
        verdict,
        p99 === undefined || scenario === 'Offline' ? '–' : milliseconds(p99.ms),
        promised?.upper === undefined ? '–' : milliseconds(promised.upper),
        `${figure(samples)}/s`,
        curve?.capacity === undefined || scenario !== 'Server' ? '–' : `${figure(curve.capacity)}/s`,
      ];
      return `<tr>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`;
    }),
  );
  const head = ['version', 'measured', 'scenario', 'verdict', 'p99', 'promised', 'rows', 'capacity'];
  const table = `<table><thead><tr>${head.map((cell) => `<th>${cell}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
  return `<h3>Bench, MLPerf-like</h3>${scrolled(`Benches of ${model}`, table)}
`;
}

function driftPart({ model, seen, baseline }: ReportedModel, now: number): string {
  if (seen === undefined) return '<h3>Drift</h3><p class="note">The model declares none.</p>';
  const { windows } = seen;
  const finding = findingOf(seen);
  const late = lateWords(seen, now);
  if (finding === undefined) {
    const more = [damagedWords(seen), late].flatMap((note) =>
      note === undefined ? [] : [`${upper(note)}.`],
    );
    const known = [noneWords(seen, now), ...more];
    return `<h3>Drift</h3><p class="note">${escapeHtml(upper(known.join(' ')))}</p>`;
  }
  const { shown } = finding;
  const order = byWeight(finding);
  const drawn = order.slice(0, CHARTS);
  const points = withGaps(windows);
  const notes = [
    `${countedNoun(windows.length, 'window')}; shown: ${period(shown)}, ${countedNoun(shown.rows, 'row', figure(shown.rows))}${shown.estimated === undefined ? '' : ` in ${countedNoun(shown.requests, 'request', figure(shown.requests))}, scored of about ${figure(shown.estimated)}`}`,
    laterWords(finding),
    damagedWords(seen),
    late,
    cutWords(seen),
    lengthWords(seen),
    seen.alarmed?.replace(/\.$/, ''),
  ].flatMap((note) => (note === undefined ? [] : [`${upper(note)}.`]));
  const before = pastWords(finding).map((line) => `<li>${escapeHtml(line)}</li>`);
  const head = `<h3>Drift</h3>
<p>${escapeHtml(upper(headline(finding)))}${isDrift(finding) ? ' Nothing was rolled back: another version would see the same inputs.' : ''} <span class="note">${escapeHtml(notes.join(' '))}</span></p>${before.length === 0 ? '' : `\n<p>Drifted before:</p><ul>${before.join('')}</ul>`}`;
  if (order.length === 0) return head;
  return `${head}
<div class="charts">${lineChart(
    'Change against the reference, in σ',
    points.map(({ to }) => Date.parse(to)),
    drawn.slice(0, LINES).map(({ label, name }, i) => ({
      label,
      colour: COLOURS[i % COLOURS.length] ?? 'ink',
      values: points.map(({ signals }) => {
        const found = signals.find((signal) => signal.name === name);
        return found && strongest(found).size;
      }),
    })),
    ' σ',
  )}</div>
<ul class="legend"><li><i style="background:var(--edge)"></i>reference</li><li><i style="background:var(--accent)"></i>live: shares of the rows in each cell</li></ul>
<div class="histograms">
${drawn.map((signal) => pictureOf(signal, baseline)).join('\n')}
</div>
${scrolled(`Signals of ${model}`, `<table><thead><tr><td></td><th>shift</th><th>change</th><th>p</th><th>T</th><th>χ²</th><th>PSI</th><th>rows</th><th>without value</th><td></td></tr></thead><tbody>${order.map(rowOf).join('')}</tbody></table>`)}`;
}

/** With a point without values where a window is missing: nobody saw what a line across would show. */
const withGaps = (windows: readonly DriftWindow[]): readonly Pick<DriftWindow, 'to' | 'signals'>[] =>
  windows.flatMap((window, i) => {
    const before = windows[i - 1];
    const isLater = before !== undefined && Date.parse(window.from) > Date.parse(before.to);
    return isLater ? [{ to: window.from, signals: [] }, window] : [window];
  });

const upper = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Signals with a picture, and those in the chart over time. */
const CHARTS = 12;
const LINES = 5;
const COLOURS = ['accent', 'bad', 'good', 'warm', 'edge'];

function pictureOf(signal: SignalWindow, baseline: Baseline | undefined): string {
  const reference = baseline?.signals.find(({ name }) => name === signal.name);
  if (reference === undefined) return '';
  const title = `${signal.label}${signal.drifted ? ': drifted' : ''}`;
  return histogram(title, reference.counts, signal.cells, cellsOf(reference));
}

/** What each cell holds, in words. */
function cellsOf(signal: Signal): readonly string[] {
  if (signal.kind === 'category') return [...signal.values, 'other', 'unseen'];
  if (signal.sd === 0 && signal.counts.length === 3) {
    const [value = ''] = figuresApart(signal.edges.slice(-1));
    return [`< ${value}`, value, `> ${value}`];
  }
  const edges = figuresApart(signal.edges);
  return signal.counts.map((_, i) =>
    i === 0 ? `≤ ${edges[0] ?? ''}` : i < edges.length ? `≤ ${edges[i]}` : `> ${edges.at(-1) ?? ''}`,
  );
}

function rowOf(signal: SignalWindow): string {
  const { label, drifted, shift, smooth, chi, psi, n, nulls } = signal;
  const { size, p } = strongest(signal);
  const cells = [
    shift === undefined ? '' : `${shift < 0 ? '−' : '+'}${Math.abs(shift).toFixed(2)} σ`,
    size === undefined ? '' : `${size.toFixed(2)} σ`,
    p === undefined ? 'too few rows' : chanceText(p),
    smooth === undefined ? '' : figure(smooth.t),
    chi === undefined ? '' : `${figure(chi.x2)} (${chi.df})`,
    psi === undefined ? '' : psi.toFixed(2),
    figure(n),
    figure(nulls),
    shareWords(signal).join(', '),
  ];
  return `<tr${drifted ? ' class="drifted"' : ''}><th scope="row">${escapeHtml(label)}${drifted ? ' <b>drifted</b>' : ''}</th>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`;
}
