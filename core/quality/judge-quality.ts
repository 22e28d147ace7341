import { fourDigits } from '../units/digits.ts';
import {
  type Estimate,
  LABELLED_ROWS,
  type Label,
  type LiveComparison,
  type LiveVersion,
  MEASURES,
  type MetricResult,
  type MetricSettings,
  type QualityVerdict,
  type RowScores,
} from './contract.ts';
import { differs, estimateOf } from './measure.ts';

/**
 * What the scores of all rows say. A limit is passed where the whole interval keeps to it, failed where none
 * of it does, and not decided where the interval lies across it: then these rows could have come from a
 * version that is good enough, and from one that is not.
 */
export function judgeQuality(
  settings: MetricSettings,
  { own, live: beside }: RowScores,
  labels: readonly Label[],
  live: LiveVersion | undefined,
): MetricResult {
  const { name, worseThanLive } = settings;
  const estimate = estimateOf(name, own, labels);
  if ('lacks' in estimate)
    return { verdict: 'nodata', reason: `${name} cannot be measured: ${estimate.lacks}.` };
  const limit = limitOf(settings, estimate);
  const compared =
    worseThanLive === undefined || live === undefined
      ? undefined
      : comparison(settings, worseThanLive, own, beside?.scores, labels, live);
  const words = [
    `${name} ${fourDigits(estimate.value)} (95 % interval ${fourDigits(estimate.low)} to ${fourDigits(estimate.high)}) on ${own.length} rows`,
    ...(limit === undefined ? [] : [limitWords(estimate, limit, own.length)]),
    ...(worseThanLive === undefined
      ? []
      : compared === undefined
        ? ['there is no live version to compare with']
        : [liveWords(settings, compared, live?.fault, own.length)]),
  ];
  return {
    verdict: worst([limit?.verdict ?? 'pass', compared?.verdict ?? 'pass']),
    estimate,
    ...(limit && { limit }),
    ...(compared && { live: compared }),
    reason: `${words.join('; ')}.`,
  };
}

const worst = (verdicts: readonly QualityVerdict[]): QualityVerdict =>
  (['fail', 'nodata'] as const).find((verdict) => verdicts.includes(verdict)) ?? 'pass';

type Limit = NonNullable<MetricResult['limit']>;

function limitOf({ min, max }: MetricSettings, { low, high }: Estimate): Limit | undefined {
  if (min !== undefined)
    return { is: 'min', value: min, verdict: low >= min ? 'pass' : high < min ? 'fail' : 'nodata' };
  if (max !== undefined)
    return { is: 'max', value: max, verdict: high <= max ? 'pass' : low > max ? 'fail' : 'nodata' };
  return undefined;
}

function comparison(
  { name }: MetricSettings,
  margin: number,
  own: readonly number[],
  theirs: readonly number[] | undefined,
  labels: readonly Label[],
  { version, fault, same }: LiveVersion,
): LiveComparison {
  if (fault !== undefined || theirs === undefined) return { version, verdict: 'nodata', margin };
  const live = estimateOf(name, theirs, labels);
  // No sample of rows: another memory size of one artifact is not worse, however few rows there are.
  if (same && !('lacks' in live) && own.every((score, i) => score === theirs[i])) {
    const difference = { value: 0, low: 0, high: 0 };
    return { version, verdict: 'pass', value: live.value, difference, margin };
  }
  const difference = differs(name, own, theirs, labels);
  if ('lacks' in live || 'lacks' in difference) return { version, verdict: 'nodata', margin };
  const [low, high] =
    MEASURES[name].better === 'higher'
      ? [difference.low, difference.high]
      : [-difference.high, -difference.low];
  const verdict = low >= -margin ? 'pass' : high < -margin ? 'fail' : 'nodata';
  return { version, verdict, value: live.value, difference, margin };
}

function limitWords(
  { value, low, high }: Estimate,
  { is, value: limit, verdict }: Limit,
  rows: number,
): string {
  const word = `${is} ${fourDigits(limit)}`;
  if (verdict === 'pass') return `it keeps to ${word}`;
  if (verdict === 'fail') return `all of the interval is beyond ${word}`;
  const [reach, room] = is === 'min' ? [value - low, value - limit] : [high - value, limit - value];
  return `the interval lies across ${word}, so these rows cannot decide${needed(reach, room, rows)}`;
}

function liveWords(
  { name }: MetricSettings,
  { version, value, difference, margin, verdict }: LiveComparison,
  fault: string | undefined,
  rows: number,
): string {
  if (value === undefined || difference === undefined)
    return `the live version ${version} cannot be compared${fault === undefined ? '' : `: ${fault}`}`;
  const head = `live version ${version} has ${fourDigits(value)}, difference ${signed(difference.value)} (${signed(difference.low)} to ${signed(difference.high)})`;
  if (verdict === 'pass') return `${head}, not worse by more than ${fourDigits(margin)}`;
  if (verdict === 'fail') return `${head}, worse by more than ${fourDigits(margin)}`;
  const isHigher = MEASURES[name].better === 'higher';
  const reach = isHigher ? difference.value - difference.low : difference.high - difference.value;
  const room = margin + (isHigher ? difference.value : -difference.value);
  return `${head}, so these rows cannot decide whether it is worse by more than ${fourDigits(margin)}${needed(reach, room, rows)}`;
}

/**
 * An interval’s width goes with 1/√n: so many rows would decide, if the value stays where it is.
 * @param reach from the value to the end of its interval @param room from there to the limit, negative beyond
 */
function needed(reach: number, room: number, rows: number): string {
  if (room < 0) return ', and the value itself does not keep to it';
  if (room === 0) return ', and the value is the limit itself';
  const wanted = Math.ceil((rows * (reach / room) ** 2) / 10) * 10;
  if (wanted > LABELLED_ROWS) return `, and neither could the ${LABELLED_ROWS} that a gate asks at most`;
  return wanted > rows ? `; some ${wanted} rows would, if the value stays` : '';
}

const signed = (value: number): string => `${value > 0 ? '+' : ''}${fourDigits(value)}`;
