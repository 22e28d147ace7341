import type { BenchDocument, ScenarioResult } from '../../../core/capacity/contract.ts';
import { milliseconds, nameOfPercentile } from '../../../core/capacity/words.ts';
import { escapeHtml } from '../../../core/catalog/escape.ts';
import { REPORT_STYLE } from '../page/report-style.ts';
import { scrolled } from '../page/scrolled.ts';
import { evenScale, type XyMark, xyChart } from '../page/xy-chart.ts';
import {
  CEILINGS,
  ceilingShare,
  ceilingWords,
  curveWords,
  errorWords,
  firstWords,
  millionWords,
  promisedWords,
  quantity,
  samplesWords,
} from './bench-words.ts';

const STYLE = `
.verdict { font-weight: 600; }
.VALID { color: var(--good); }
.INVALID { color: var(--bad); }
.faults { margin: .25rem 0 .75rem; padding-left: 1.2rem; color: var(--bad); }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .25rem 1rem; margin: .5rem 0 1rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; } }
.bars { display: grid; gap: .4rem; margin: .5rem 0 1rem; padding: 0; list-style: none; font-size: .9rem; }
.bars i { display: block; height: .5rem; border-radius: .25rem; background: var(--line); overflow: hidden; }
.bars b { display: block; height: 100%; background: var(--accent); }
.bars .over b { background: var(--bad); }
`;

/** One page that needs no network: what was measured, what it promises, and why it may not be believed. */
export function benchHtml(document: BenchDocument): string {
  const { model, target, kind, at, scenarios } = document;
  const where = `${target.name}${target.version === undefined ? '' : `, version ${target.version}`}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(`${model}: bench`)}</title><style>${REPORT_STYLE}${STYLE}</style></head>
<body><header><h1>${escapeHtml(model)}</h1><p>${escapeHtml(`${kind} bench of ${where}, ${at.slice(0, 16).replace('T', ' ')} UTC`)}${document.interrupted ? ' · interrupted' : ''}</p></header>
<main>
${aboutPart(document)}
${scenarios.map(scenarioPart).join('\n')}
${curvePart(document)}
</main></body></html>
`;
}

const facts = (pairs: readonly (readonly [string, string | undefined])[]): string =>
  `<dl>${pairs.flatMap(([name, value]) => (value === undefined ? [] : [`<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`])).join('')}</dl>`;

function aboutPart(document: BenchDocument): string {
  const { asked, machine, plugin, scenarios, target, strict } = document;
  const memory = target.memory === undefined ? undefined : `${target.memory} MB, ${target.architecture}`;
  const rows = scenarios.map(({ scenario, verdict, rate, seconds, samples, percentiles }) => {
    const p = (wanted: number): string => {
      const found = percentiles.find(({ percentile }) => percentile === wanted);
      return found === undefined || scenario === 'Offline' ? '–' : milliseconds(found.ms);
    };
    const cells = [
      rate === undefined ? '–' : `${quantity(rate)}/s`,
      `${quantity(seconds)} s`,
      p(0.5),
      p(0.99),
      `${quantity(samples)}/s`,
    ];
    return `<tr><th scope="row">${scenario}</th><td class="verdict ${verdict}">${verdict}</td>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`;
  });
  return `<section><h2>What was measured</h2>
${scrolled('What was measured', `<table><thead><tr><th>scenario</th><th>verdict</th><th>rate</th><th>time</th><th>p50</th><th>p99</th><th>rows</th></tr></thead><tbody>${rows.join('')}</tbody></table>`)}
${facts([
  ['Function', memory],
  ['Identity', target.identity],
  [
    'Requests',
    `${asked.requests} ${asked.requests === 1 ? 'request' : 'requests'}, ${asked.from}; the largest has ${quantity(asked.bytes / 1024)} KB`,
  ],
  ['Cold', firstWords(document)],
  ['Cost', millionWords(document)],
  ['Generator', `${machine.processor}, ${machine.system}, Node.js ${machine.node}`],
  ['Plugin', plugin],
])}
<p class="note">Scenarios and early stopping are MLPerf’s${strict ? ', with its least durations' : ', in less than its 600 s'}. This is no result of MLPerf: nobody submitted or reviewed it. docs/bench-method.md says what each number promises.</p></section>`;
}

function scenarioPart(result: ScenarioResult): string {
  const { scenario, verdict, faults, rate, seconds, requests, lateness, outstanding } = result;
  const at = rate === undefined ? '' : ` at ${quantity(rate)} requests/s`;
  return `<section><h2>${scenario}${escapeHtml(at)}</h2>
<p><span class="verdict ${verdict}">${verdict}</span> <span class="note">${escapeHtml(`${requests.toLocaleString('en-US')} requests in ${quantity(seconds)} s`)}</span></p>
${faults.length === 0 ? '' : `<ul class="faults">${faults.map(({ words }) => `<li>${escapeHtml(words)}</li>`).join('')}</ul>`}
${scenario === 'Offline' ? '' : latencyPart(result)}
${facts([
  ['Promise', promisedWords(result)],
  ['Throughput', samplesWords(result)],
  ['Errors', errorWords(result)],
  ['At once', `${outstanding} requests at most`],
  [
    'Generator',
    `${milliseconds(lateness.p50)} late (median), ${milliseconds(lateness.p99)} (p99), ${milliseconds(lateness.max)} (most)`,
  ],
])}
${ceilingsPart(result)}</section>`;
}

function latencyPart({ scenario, percentiles, distribution, objective, promised }: ScenarioResult): string {
  const rows = percentiles.map(({ percentile, ms, bound, needs }) => {
    const told =
      bound === undefined ? `needs ${needs?.toLocaleString('en-US')} requests` : `≤ ${milliseconds(bound)}`;
    return `<tr><th scope="row">${nameOfPercentile(percentile)}</th><td>${escapeHtml(milliseconds(ms))}</td><td>${escapeHtml(told)}</td></tr>`;
  });
  const shown = distribution.filter(([at]) => at < 1);
  const most = Math.max(...shown.map(([, ms]) => ms), objective?.ms ?? 0);
  const last = nines(shown.at(-1)?.[0] ?? 0.9);
  const x = {
    label: 'share of the requests',
    ticks: [0.5, 0.9, 0.99, 0.999, 0.9999]
      .filter((p) => nines(p) <= last + 0.01)
      .map((p) => [nines(p), nameOfPercentile(p)] as const),
    from: 0,
    to: Math.max(1, last),
  };
  const marks: XyMark[] = objective
    ? [{ axis: 'y', at: objective.ms, label: `objective ${milliseconds(objective.ms)}`, colour: 'bad' }]
    : [];
  const points = shown.map(([at, ms]) => [nines(at), ms] as const);
  const table = `<table><thead><tr><td></td><th>measured</th><th>99 % sure¹</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
  return `<div class="charts"><div>${scrolled(`Latency in ${scenario}`, table)}<p class="note">¹ If requests are independent.${promised === undefined ? '' : ' Those that queue are not: the promise below is for them.'}</p></div>
${xyChart('Latency from the scheduled time', x, evenScale('ms', most, quantity), [{ label: 'warm requests', colour: 'accent', points }], marks)}</div>`;
}

/** 0 for p0, 1 for p90, 2 for p99: the tail gets the room. */
const nines = (at: number): number => -Math.log10(1 - at);

function ceilingsPart(
  { ceilings }: Pick<ScenarioResult, 'ceilings'>,
  title = 'How near to its limits',
): string {
  if (ceilings.length === 0) return '';
  const bars = ceilings.map((one) => {
    const full = ceilingShare(one);
    return `<li${full > 1 ? ' class="over"' : ''}>${escapeHtml(`${CEILINGS[one.name]}: ${ceilingWords(one)}`)}<i><b style="width:${Math.min(100, 100 * full).toFixed(1)}%"></b></i></li>`;
  });
  return `<h3>${escapeHtml(title)}</h3><ul class="bars">${bars.join('')}</ul>`;
}

function curvePart(document: BenchDocument): string {
  const { curve } = document;
  if (curve === undefined || curve.points.length === 0) return '';
  const { points, knee, capacity, objective, atCapacity } = curve;
  const name = nameOfPercentile(objective?.percentile ?? 0.99);
  const lineOf = (value: (point: (typeof points)[number]) => number | undefined) =>
    points.flatMap((point) => {
      const at = value(point);
      return at === undefined ? [] : [[point.rate, at] as const];
    });
  const kept = points.filter(({ keptUp }) => keptUp).map(({ latency }) => latency ?? 0);
  // Beyond saturation latency only says how long was measured.
  const most = 1.5 * Math.max(objective?.ms ?? 0, ...(kept.length > 0 ? kept : [1]));
  const cut = (value: number | undefined) => (value === undefined || value > most ? undefined : value);
  const rates = evenScale('requests/s', points.at(-1)?.rate ?? 1, quantity);
  const marks: XyMark[] = [
    ...(objective
      ? [
          {
            axis: 'y',
            at: objective.ms,
            label: `objective ${milliseconds(objective.ms)}`,
            colour: 'bad',
          } as const,
        ]
      : []),
    ...(knee === undefined ? [] : [{ axis: 'x', at: knee, label: 'knee', colour: 'warm' } as const]),
    ...(capacity === undefined
      ? []
      : [{ axis: 'x', at: capacity, label: 'capacity', colour: 'good' } as const]),
  ];
  const rows = points.map(({ rate, answered, mean, latency, upper, keptUp }) => {
    const cells = [mean, latency, upper].map((value) => (value === undefined ? '–' : milliseconds(value)));
    return `<tr><th scope="row">${quantity(rate)}/s</th><td>${quantity(answered)}/s</td>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}<td>${keptUp ? '' : 'does not keep up'}</td></tr>`;
  });
  const table = `<table><thead><tr><th>asked</th><th>answered rows</th><th>mean</th><th>${name}</th><th>upper bound</th><td></td></tr></thead><tbody>${rows.join('')}</tbody></table>`;
  return `<section><h2>Latency by rate</h2><p>${escapeHtml(`${curveWords(document).join('; ')}.`)}</p>
<div class="charts">${xyChart(
    `${name} and mean`,
    rates,
    evenScale('ms', most, quantity),
    [
      {
        label: `${name}, upper bound`,
        colour: 'bad',
        points: lineOf(({ upper }) => cut(upper)),
        isDashed: true,
      },
      { label: name, colour: 'accent', points: lineOf(({ latency }) => cut(latency)), hasDots: true },
      { label: 'mean', colour: 'good', points: lineOf(({ mean }) => cut(mean)) },
    ],
    marks,
  )}${scrolled('Latency by rate', table)}</div>
${atCapacity === undefined || capacity === undefined ? '' : `${facts([[`At ${quantity(capacity)}/s`, samplesWords(atCapacity)]])}${ceilingsPart(atCapacity, `How near to its limits at ${quantity(capacity)}/s`)}`}</section>`;
}
