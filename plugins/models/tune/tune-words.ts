import { isFull, reached, type SizeRow } from '../../../core/capacity/memory-sizes.ts';
import { milliseconds, nameOfPercentile } from '../../../core/capacity/words.ts';
import { dollarFigure } from '../../../core/units/dollars.ts';
import type { Model } from '../declaration/model.ts';
import { PRICES } from '../plan/shared/prices.ts';
import type { TuneDocument } from './document.ts';
import { MOST_INVOCATIONS } from './options.ts';
import { EXAMPLE, type quoteOf } from './quote.ts';

/** What `sls models tune` says. Pure. */

const duration = (seconds: number): string =>
  seconds < 5400 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;

const dollars = (value: number): string => (value < 0.01 ? dollarFigure(value, 1) : `$${value.toFixed(2)}`);

type Deployed = Pick<Model, 'architecture' | 'timeout'>;

/** Who has changed it, to see what that does, would take these figures for those of what is declared. */
export function otherwiseDeployed(declared: Deployed, deployed: Deployed): readonly string[] {
  const words = ({ architecture, timeout }: Deployed): readonly string[] => [architecture, `${timeout} s`];
  const [asked, there] = [words(declared), words(deployed)];
  return ['architecture', 'timeout'].flatMap((key, i) =>
    asked[i] === there[i]
      ? []
      : [`${key} is declared as ${asked[i]}, and deployed as ${there[i]}: what is deployed is measured.`],
  );
}

/** What will be made, before it is. */
export function quoteText(
  name: string,
  { sizes, invocations, timeout, files }: QuoteGiven,
  { about, most }: ReturnType<typeof quoteOf>,
): string {
  const read = files === 1 ? 'the model’s file' : `the ${files} files of the model`;
  const may = files === 0 ? '' : ` and read ${read} in S3`;
  return [
    `Makes the CloudFormation stack ${name} with a function, its log group and a role that may write that log${may}; all of it is removed at the end.`,
    `${sizes.join(', ')} MB, ${invocations} warm requests at each size: about ${dollars(about.dollars)} and ${duration(about.seconds)} if a request takes ${EXAMPLE} ms, at most ${dollars(most.dollars)} and ${duration(most.seconds)} if each takes the timeout of ${timeout} s and starts an instance.`,
  ].join('\n');
}

type QuoteGiven = {
  readonly sizes: readonly number[];
  readonly invocations: number;
  readonly timeout: number;
  readonly files: number;
};

const size = (memory: number): string => `${memory} MB`;

type Ran = Exclude<SizeRow, { readonly failed: string }>;

const column = (title: string, of: (row: Ran) => string) => ({ title, of });

function columnsOf({ objective }: TuneDocument) {
  const at = objective?.percentile ?? 0.95;
  const percentile = (p: number) => (row: Ran) => {
    const found = row.latency.find((one) => one.percentile === p);
    return found === undefined ? '' : milliseconds(found.ms);
  };
  const bound = (row: Ran): string => {
    const found = row.latency.find((one) => one.percentile === at);
    return found?.bound === undefined ? '–' : `≤ ${milliseconds(found.bound)}`;
  };
  const others = [...new Set([0.5, 0.95, at])].toSorted((a, b) => a - b);
  return [
    ...others.map((p) => column(nameOfPercentile(p), percentile(p))),
    column(`${nameOfPercentile(at)}, 99 % sure`, bound),
    column('billed p50', ({ billed }) => milliseconds(billed.p50)),
    column('billed p95', ({ billed }) => milliseconds(billed.p95)),
    column('INIT', ({ init }) => (init === undefined ? '' : milliseconds(init))),
    column('used', ({ used }) => (used === undefined ? '' : size(used))),
    column('$ a million', ({ million }) => million.toFixed(2)),
  ];
}

function faultsOf(row: Ran): string {
  const faults = [...(row.keeps === false ? ['too slow'] : []), ...(isFull(row) ? ['too full'] : [])];
  return faults.length === 0 ? '' : `  ${faults.join(', ')}`;
}

/** A table for a terminal: what does not run has its reason in its line. */
function tableText(document: TuneDocument): readonly string[] {
  const columns = columnsOf(document);
  const rows = document.sizes.map((row) => ('failed' in row ? undefined : columns.map(({ of }) => of(row))));
  const widths = columns.map(({ title }, i) =>
    Math.max(title.length, ...rows.map((cells) => cells?.[i]?.length ?? 0)),
  );
  const line = (first: string, cells: readonly string[]): string =>
    `  ${first.padStart(8)}${cells.map((cell, i) => `  ${cell.padStart(widths[i] ?? 0)}`).join('')}`;
  return [
    line(
      'memory',
      columns.map(({ title }) => title),
    ),
    ...document.sizes.map((row, i) =>
      'failed' in row
        ? `  ${size(row.memory).padStart(8)}  does not run: ${row.failed}`
        : line(size(row.memory), rows[i] ?? []) + faultsOf(row),
    ),
  ];
}

/** Where a little more money buys much time. */
const DEARER = 1.1;
const FASTER = 0.8;

function besideWords(document: TuneDocument, chosen: number): readonly string[] {
  const at = document.objective?.percentile ?? 0.95;
  const ran = document.sizes.filter((row): row is Ran => !('failed' in row || isFull(row)));
  const best = ran.find(({ memory }) => memory === chosen);
  if (best === undefined) return [];
  const better = ran
    .filter((row) => row.million <= DEARER * best.million && reached(row, at) <= FASTER * reached(best, at))
    .toSorted((a, b) => reached(a, at) - reached(b, at))[0];
  if (better === undefined) return [];
  const dearer = Math.round(100 * (better.million / best.million - 1));
  const share = Math.round(100 * (1 - reached(better, at) / reached(best, at)));
  return [`For ${dearer} % more, ${size(better.memory)} are ${share} % faster in ${nameOfPercentile(at)}.`];
}

/** What was seen of too few requests is no promise. @returns why not, where it is none */
function unsureWords({ objective, sizes }: TuneDocument, chosen: number): string | undefined {
  const row = sizes.find((one): one is Ran => !('failed' in one) && one.memory === chosen);
  const needs = row?.latency.find(({ percentile }) => percentile === objective?.percentile)?.needs;
  if (needs === undefined) return undefined;
  const way = needs > MOST_INVOCATIONS ? ', more than --invocations takes' : ` (--invocations ${needs})`;
  return `That is not sure: ${needs.toLocaleString('en-US')} warm requests are needed${way}.`;
}

const TOO_FULL = 'No size leaves room for a larger request: more than 95 % of each was used.';

function choiceWords(document: TuneDocument): readonly string[] {
  const { choice, model, objective, memory } = document;
  const name = objective && nameOfPercentile(objective.percentile);
  const limit = objective && milliseconds(objective.ms);
  if (document.interrupted) return ['It was interrupted, so nothing is proposed.'];
  if (choice.kind === 'none') {
    const ran = document.sizes.filter((row) => !('failed' in row));
    if (choice.memory === undefined)
      return [ran.length === 0 ? 'No size ran; raise --memory.' : `${TOO_FULL} Raise --memory.`];
    const which = ran.some(isFull) ? 'No size with room for a larger request' : 'No size';
    return [
      `${which} keeps ${name} within ${limit}: the fastest, ${size(choice.memory)}, is ${milliseconds(choice.lacks ?? 0)} above it. Try a larger --memory, a smaller model, or another objective.`,
    ];
  }
  const unsure = unsureWords(document, choice.memory);
  const kept =
    unsure === undefined ? `keeps ${name} within ${limit}` : `kept ${name} within ${limit} in what was seen`;
  const what = objective === undefined ? 'The cheapest' : `The cheapest that ${kept}`;
  const beside = [...(unsure === undefined ? [] : [unsure]), ...besideWords(document, choice.memory)];
  if (choice.memory === memory) return [`${what} is what it has already: ${size(memory)}.`, ...beside];
  return [
    `${what}: ${size(choice.memory)}; it has ${size(memory)}. To take it, write:`,
    '',
    'models:',
    `  ${model}:`,
    `    memory: ${choice.memory}`,
    ...(beside.length > 0 ? ['', ...beside] : []),
  ];
}

function keptWords({ kept }: TuneDocument): readonly string[] {
  if (kept === undefined || kept.sizes.length === 0) return [];
  const count = Number(kept.instances.toPrecision(3));
  const months = kept.sizes.map(({ memory, month }) => `${size(memory)} ${dollars(month)}`);
  return [
    `  Beside that, ${count} ${count === 1 ? 'instance that is' : 'instances that are'} kept warm cost${count === 1 ? 's' : ''} a month: ${months.join(', ')}.`,
  ];
}

export function tuneText(document: TuneDocument): string {
  const { model, function: name, architecture, asked, invocations } = document;
  return [
    `${model} as ${name}, ${architecture}, ${invocations} warm requests at each size, ${asked}`,
    ...tableText(document),
    `  Dollars are Lambda’s list prices of ${PRICES.region}, ${PRICES.year}, for warm requests alone: no INIT, HTTP or logs.`,
    ...keptWords(document),
    ...choiceWords(document),
  ].join('\n');
}
