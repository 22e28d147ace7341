import type { AdviceNeeds, FormAdvice, Price, Prices } from '../../../core/advice/contract.ts';
import {
  breakEvenWords,
  cheapestWords,
  costWords,
  countedWords,
  formWords,
  sourceWords,
} from '../../../core/advice/text.ts';
import { FORM_NAMES, memoryWords, numberWords, weightWords } from '../../../core/advice/words.ts';
import { escapeHtml } from '../../../core/catalog/escape.ts';
import { REPORT_STYLE } from '../page/report-style.ts';
import { scrolled } from '../page/scrolled.ts';
import type { AdvisedModel } from './advised-model.ts';
import { costChart } from './cost-chart.ts';

const STYLE = `
.decision { font-size: 1.15rem; font-weight: 600; overflow-wrap: anywhere; }
.decision.kept { color: var(--good); }
.decision.refused { color: var(--bad); }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .25rem 1rem; margin: .5rem 0 1rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; } }
tr.chosen th, tr.chosen td { font-weight: 600; color: var(--good); }
tr.out th, tr.out td { color: var(--soft); }
td.money, th.money { text-align: right; }
td.over { color: var(--bad); }
.plain { margin: .25rem 0 1rem; padding-left: 1.2rem; }
.plain li { margin: .2rem 0; overflow-wrap: anywhere; }
`;

/**
 * One page for a colleague, which needs no network: what was decided, why, what it costs, what is not known.
 */
export function adviceHtml(advised: readonly AdvisedModel[], prices: Prices): string {
  const names = advised.map(({ name }) => name).join(', ');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(`${names}: where it should run`)}</title><style>${REPORT_STYLE}${STYLE}</style></head>
<body><header><h1>Where ${escapeHtml(names)} should run</h1><p>${escapeHtml('Rules first, latency before all others; then what a month costs.')}</p></header>
<main>
${advised.map(modelPart).join('\n')}
${pricesPart(prices)}
</main></body></html>
`;
}

function modelPart(subject: AdvisedModel): string {
  const { advice, name, needs } = subject;
  const isKept = advice.form !== undefined;
  return `<section><h2>${escapeHtml(name)}</h2>
<p class="decision ${isKept ? 'kept' : 'refused'}">${escapeHtml(advice.headline)}</p>
<h3>Why</h3>
${advice.reasons.length === 0 ? '<p class="note">Nothing is known that would rule anything out.</p>' : pairs(advice.reasons.map(({ rule, words }) => [rule, words]))}
${devicePart(subject)}
${costPart(subject)}
${ratePart(needs, advice)}
<h3>What is not known</h3>
${
  advice.unknown.length === 0
    ? '<p>Nothing of what was asked for.</p>'
    : list(advice.unknown.map(({ needed, what }) => `${what} Needed: ${needed.replaceAll('`', '')}`))
}</section>`;
}

/** What the weights take, beside what the device has. */
function devicePart({ name, needs: { deviceMemory }, advice: { rungs } }: AdvisedModel): string {
  if (deviceMemory === undefined || rungs.length === 0) return '';
  const rows = rungs.map(({ bytes, name }) => {
    const times = bytes / deviceMemory.value;
    return `<tr><th scope="row">${name}</th><td class="money">${weightWords(bytes)}</td><td class="money${times > 1 ? ' over' : ''}">${numberWords(times)} ×</td></tr>`;
  });
  return `<h3>The weights on a device of ${escapeHtml(memoryWords(deviceMemory.value))}</h3>
${scrolled(`The weights of ${name} on the device`, `<table><thead><tr><th>precision</th><th class="money">at least</th><th class="money">of its memory</th></tr></thead><tbody>${rows.join('')}</tbody></table>`)}`;
}

function costPart({ name, needs, advice }: AdvisedModel): string {
  if (needs.traffic === undefined)
    return `<h3>Cost a month</h3><p>Not known without the traffic${advice.curve.lines.length > 0 ? '; the picture shows it by rate' : ''}.</p>`;
  const rows = advice.forms.map((one) => {
    const kind = one.form === advice.form ? 'chosen' : one.excludedBy.length > 0 ? 'out' : '';
    return `<tr class="${kind}"><th scope="row">${escapeHtml(FORM_NAMES[one.form])}</th><td class="money">${escapeHtml(costWords(one))}</td><td class="text">${escapeHtml(formWords(one))}</td></tr>`;
  });
  return `<h3>Cost a month</h3><p class="note">${escapeHtml(`For ${countedWords(needs)}.`)}</p>
${scrolled(`Cost of ${name} a month`, `<table><thead><tr><td></td><th class="money">dollars</th><td></td></tr></thead><tbody>${rows.join('')}</tbody></table>`)}`;
}

function ratePart(needs: AdviceNeeds, advice: FormAdvice): string {
  if (advice.curve.lines.length === 0) return '';
  const least = cheapestWords(advice);
  const words = [
    ...(least === undefined ? [] : [`Least, give or take a tenth: ${least}.`]),
    ...advice.breakEven.map((one) => `${breakEvenWords(one)}.`),
  ];
  return `<h3>By rate</h3><div class="charts">${costChart(advice, needs.traffic?.value)}${list(words)}</div>`;
}

function pricesPart(prices: Prices): string {
  const rows = Object.entries(prices).map(
    ([name, { dollars, doubt, read, source, unit }]: [string, Price]) => {
      const place = source.replace(/^https:\/\//, '');
      return `<tr><th scope="row">${escapeHtml(name)}</th><td class="money">${escapeHtml(`${dollars.toLocaleString('en-US', { maximumSignificantDigits: 6, useGrouping: false })}${doubt === undefined ? '' : ' ?'}`)}</td><td>${escapeHtml(`per ${unit}`)}</td><td>${escapeHtml(read)}</td><td class="text">${escapeHtml(doubt === undefined ? place : `${place}: ${doubt}`)}</td></tr>`;
    },
  );
  return `<section><h2>Prices</h2><p class="note">${escapeHtml(`${sourceWords(prices)}.`)}</p>
${scrolled('Prices', `<table><thead><tr><th>name</th><th class="money">dollars</th><td></td><th>read</th><th>where</th></tr></thead><tbody>${rows.join('')}</tbody></table>`)}</section>`;
}

const pairs = (rows: readonly (readonly [string, string])[]): string =>
  `<dl>${rows.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`).join('')}</dl>`;

const list = (items: readonly string[]): string =>
  `<ul class="plain">${items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>`;
