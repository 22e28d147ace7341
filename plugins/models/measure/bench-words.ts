import type { BenchCeiling, BenchDocument, ScenarioResult } from '../../../core/capacity/contract.ts';
import { milliseconds, nameOfPercentile } from '../../../core/capacity/words.ts';
import { dollarFigure } from '../../../core/units/dollars.ts';
import { percentFigure } from '../../../core/units/percent.ts';

/** Bench results in words, for the terminal and the page. Pure. */

export const CEILINGS: Readonly<Record<BenchCeiling['name'], string>> = {
  cpu: 'CPU of the quota',
  memory: 'memory, peak',
  concurrency: 'instances at once',
  request: 'largest request',
  answer: 'largest answer',
};

export const quantity = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));

export const ceilingShare = ({ used, limit }: BenchCeiling): number => (limit > 0 ? used / limit : 0);

/** `34 % (0.34 of 1 vCPU)` */
export const ceilingWords = (ceiling: BenchCeiling): string =>
  `${quantity(100 * ceilingShare(ceiling))} % (${quantity(ceiling.used)} of ${quantity(ceiling.limit)} ${ceiling.unit})`;

/** What may be promised of the percentile, or why nothing may. */
export function promisedWords({ cold, promised, objective, requests }: ScenarioResult): string | undefined {
  if (promised === undefined) return undefined;
  const { percentile, runs, upper, lower, without } = promised;
  const name = nameOfPercentile(percentile);
  const besides =
    cold.count > 0 && requests > 0
      ? `; ${percentFigure(cold.count / requests, 3)} % of the requests started cold, in up to ${milliseconds(cold.max ?? 0)}, and are not in it`
      : '';
  if (upper === undefined || lower === undefined)
    return `no bound of ${name} can be promised: ${without ?? 'it is not known'}${besides}`;
  const range = `${milliseconds(Math.min(...runs))} to ${milliseconds(Math.max(...runs))}`;
  const kept =
    objective === undefined
      ? ''
      : upper <= objective.ms
        ? `, within the objective of ${milliseconds(objective.ms)}`
        : `, not within the objective of ${milliseconds(objective.ms)}`;
  return `${name} in ${runs.length} runs: ${range}; with 99 % confidence it is ${milliseconds(lower)} to ${milliseconds(upper)}${kept}${besides}`;
}

export function samplesWords({
  samples,
  sustained,
  scenario,
}: Pick<ScenarioResult, 'samples' | 'sustained'> & {
  readonly scenario?: ScenarioResult['scenario'];
}): string {
  const ratio = sustained.ratio === undefined ? '' : `; last third ÷ first ${sustained.ratio.toFixed(2)}`;
  return `${quantity(samples)} rows/s${scenario === 'Offline' ? '' : ` (${quantity(sustained.rate)} answers/s in the last third)`}${ratio}`;
}

export function errorWords({ outcomes, cold }: ScenarioResult): string {
  const errors = Object.entries(outcomes).flatMap(([name, count]) =>
    name === 'ok' || count === 0 ? [] : [`${count} ${name}`],
  );
  const met =
    cold.count === 0
      ? 'no cold start'
      : cold.count === 1
        ? `1 cold start, ${milliseconds(cold.max ?? 0)}`
        : `${cold.count} cold starts, ${milliseconds(cold.median ?? 0)} (median), ${milliseconds(cold.max ?? 0)} (longest)`;
  return `${errors.length === 0 ? 'no errors' : errors.join(', ')}; ${met}`;
}

const percentileWords = ({ percentiles }: ScenarioResult): readonly string[] =>
  percentiles.map(({ percentile, ms, bound, needs }) => {
    const told = bound === undefined ? `(bound from ${needs} requests on)` : `≤ ${milliseconds(bound)}`;
    return `    ${nameOfPercentile(percentile).padEnd(6)} ${milliseconds(ms).padStart(9)}  ${told}`;
  });

function scenarioText(result: ScenarioResult): string {
  const { scenario, verdict, faults, seconds, requests, rate, lateness, ceilings } = result;
  const at = rate === undefined ? '' : ` at ${quantity(rate)}/s`;
  const promise = promisedWords(result);
  const line = (label: string, text: string): string => `    ${label.padEnd(12)}${text}`;
  return [
    `  ${scenario}${at}: ${verdict}, ${requests.toLocaleString('en-US')} requests in ${quantity(seconds)} s`,
    ...faults.map(({ words }) => `    ! ${words}`),
    ...(scenario === 'Offline' ? [] : percentileWords(result)),
    ...(promise === undefined ? [] : [line('promise', promise)]),
    line('throughput', samplesWords(result)),
    line('errors', errorWords(result)),
    line('generator', `${milliseconds(lateness.p99)} late (p99)`),
    ...ceilings
      .filter((one) => ceilingShare(one) >= SHOWN)
      .map((one) => line('ceiling', `${CEILINGS[one.name]} ${ceilingWords(one)}`)),
  ].join('\n');
}

/** A ceiling that is far away is on the page alone. */
const SHOWN = 0.01;

export function curveWords({ curve }: BenchDocument): readonly string[] {
  if (curve === undefined) return [];
  const { knee, capacity, objective, points } = curve;
  return [
    ...(knee === undefined ? [] : [`the knee is at ${quantity(knee)}/s`]),
    ...(objective === undefined
      ? []
      : capacity === undefined
        ? [
            `no measured rate keeps ${nameOfPercentile(objective.percentile)} within ${milliseconds(objective.ms)} for sure`,
          ]
        : [
            `up to ${quantity(capacity)}/s ${nameOfPercentile(objective.percentile)} stays within ${milliseconds(objective.ms)}`,
          ]),
    `${points.length} rates from ${quantity(points[0]?.rate ?? 0)}/s to ${quantity(points.at(-1)?.rate ?? 0)}/s`,
  ];
}

export function firstWords({ first, target }: BenchDocument): string | undefined {
  if (first === undefined) return undefined;
  const start = first.start === undefined ? '' : `; its process was ready after ${milliseconds(first.start)}`;
  return `first answer ${milliseconds(first.answer)}${target.kind === 'function' ? ' (cold where Lambda had no instance)' : ''}${start}`;
}

export function millionWords({ million }: BenchDocument): string | undefined {
  if (million === undefined) return undefined;
  const { total, rate, duration, from } = million;
  return `${dollarFigure(total, 3)} a million rows on Lambda, its logs and metrics included, at ${quantity(rate ?? 0)} requests/s and ${milliseconds(duration)} a request (${from})`;
}

export function benchText(document: BenchDocument, places: readonly string[]): string {
  const { model, target, kind, scenarios } = document;
  const version = target.version === undefined ? '' : `, version ${target.version}`;
  const curve = curveWords(document);
  const first = firstWords(document);
  const million = millionWords(document);
  return [
    `${model} at ${target.name}${version}, ${kind}, requests ${document.asked.from}`,
    ...(first === undefined ? [] : [`  ${first}`]),
    ...scenarios.map(scenarioText),
    ...(curve.length === 0 ? [] : [`  Curve: ${curve.join('; ')}`]),
    ...(document.curve?.atCapacity?.ceilings ?? [])
      .filter((one) => ceilingShare(one) >= SHOWN)
      .map((one) => `    at capacity ${CEILINGS[one.name]} ${ceilingWords(one)}`),
    ...(million === undefined ? [] : [`  ${million}`]),
    ...places,
  ].join('\n');
}
