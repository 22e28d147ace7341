import { CHANCE } from '../../../core/capacity/chance.ts';
import { REQUESTS_PER_ENVIRONMENT } from '../../../core/capacity/environments/at-once.ts';
import { milliseconds, nameOfPercentile } from '../../../core/capacity/words.ts';
import { percentFigure } from '../../../core/units/percent.ts';
import { lastingWords } from './load.ts';
import type { CapacityPart } from './parts.ts';
import { HEADROOM, windowText } from './proposal.ts';
import type { CapacityReport } from './report.ts';

/** A report of capacity, for people. Pure. */

export function capacityWords(report: CapacityReport): string {
  const { duration, idle, init, model, onDemand, parts, promised, traffic } = report;
  const by = report.replayed === undefined ? '' : ', by the replay';
  return [
    `${model}: at most ${percent(promised)} of the requests may start cold (${nameOfPercentile(1 - promised)} warm)`,
    ...rows('traffic', `${rateWords(report)}: ${traffic.words}`),
    ...rows(
      'a request',
      `${milliseconds(duration.ms)} (${duration.from}), and ${milliseconds(init.ms)} of INIT where it starts cold (${init.from})`,
    ),
    ...rows(
      'on demand',
      `${percent(onDemand)} start cold with nothing kept warm${by}: ${onDemand <= promised ? 'within the promise' : 'more than is promised'}`,
      `if an instance stays ${idle.seconds} s without a request (${idle.isGiven ? '--idle' : 'assumed: Lambda documents none'})`,
    ),
    '',
    ...table(report),
    ...(parts.some(({ isByRate }) => isByRate)
      ? [
          `  * by Lambda's ${REQUESTS_PER_ENVIRONMENT} requests a second an instance: the load alone would need fewer`,
        ]
      : []),
    '',
    ...replayLines(report),
    ...todayLines(report),
    ...proposalLines(report),
    ...crowdLines(report),
    ...rows('quota', quotaWords(report), ...overLimit(report)),
  ].join('\n');
}

const rows = (name: string, ...lines: readonly string[]): readonly string[] =>
  lines.map((line, index) => `  ${(index === 0 ? name : '').padEnd(10)} ${line}`);

const figure = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));
const percent = (share: number): string => `${percentFigure(share, 2)} %`;
const dollars = (amount: number): string => `$${amount.toFixed(2)}`;
const instances = (count: number): string => `${figure(count)} instance${count === 1 ? '' : 's'}`;

function rateWords({ traffic: { busiest, rate } }: CapacityReport): string {
  const most = busiest > 1.005 * rate ? `, ${figure(busiest)} in the busiest hour` : '';
  return `${figure(rate)} requests/s${most}`;
}

function whenWords({ window, time }: Pick<CapacityPart, 'time' | 'window'>): string {
  if (window === undefined) return time > 0.999 ? 'at all times' : 'at all other times';
  const { days, from, to } = windowText(window);
  return `${days} ${from} to ${to}`;
}

function table({ parts, replayed }: CapacityReport): readonly string[] {
  const head = [
    'when',
    'in progress',
    'keep',
    'in use',
    'cold, Erlang B',
    ...(replayed ? ['Erlang B alone', 'cold, replayed'] : []),
  ];
  const lines = parts.map((part) => [
    whenWords(part),
    figure(part.load),
    `${part.kept}${part.isByRate ? '*' : ''}`,
    percent(part.use),
    percent(part.erlang.share),
    ...(part.replayed ? [String(part.erlang.kept), replayedWords(part.replayed)] : []),
  ]);
  const widths = head.map((name, column) =>
    Math.max(name.length, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  return [head, ...lines].map(
    (line) =>
      `  ${line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join('   ')}`,
  );
}

const replayedWords = ({ requests, share }: NonNullable<CapacityPart['replayed']>): string =>
  requests > 0 ? percent(share) : '–';

function replayLines({ parts, promised, replayed }: CapacityReport): readonly string[] {
  if (replayed === undefined) return [];
  const { dispersion, erlang, needs, proposed, requests, simulated, within, words } = replayed;
  const times = erlang > 0 ? simulated / erlang : 1;
  const kept = parts.map(({ erlang: one }) => one.kept).join(', ');
  const varies =
    dispersion === undefined
      ? ''
      : `, whose number in ${lastingWords(within)} varies ${figure(dispersion)} times as much as of requests that know nothing of each other`;
  const isChance =
    Math.abs(simulated - erlang) * requests <= CHANCE * Math.sqrt((simulated + erlang) * requests);
  const why =
    times > 1.5
      ? `${figure(times)} times as many${isChance ? ', of so few that it may be chance' : ': they come in bursts'}${varies}`
      : times < 1 / 1.5
        ? `fewer, ${isChance ? 'which may be chance' : 'since they come more evenly than the formula takes them to'}${varies}`
        : `about the same${varies}`;
  const cold = requests > 0 ? proposed.cold / requests : 0;
  const beyond = requests > 0 ? 1 - proposed.kept / requests : 0;
  return rows(
    'replayed',
    words,
    `with ${kept} kept, as by Erlang B, ${percent(erlang)} should find none free, and ${percent(simulated)} do: ${why}`,
    `with ${parts.map((part) => part.kept).join(', ')} kept ${percent(beyond)} find none free, ${percent(cold)} start cold, ${figure(proposed.throttled)} are refused; ${figure(proposed.most)} at once at most`,
    ...(needs === undefined
      ? []
      : [
          `too few to show ${percent(promised)}: at least ${figure(needs)} arrivals are needed; take it for a hint`,
        ]),
  );
}

function todayLines({ parts, promised, proposal, today }: CapacityReport): readonly string[] {
  const { from, keeps, scales, share, target } = today;
  if (proposal === undefined) return [];
  const whose = from === 'declared' ? 'declared' : 'the default; nothing is kept unless you write it';
  const rests = parts.map((part) => `${part.today.kept} of ${part.kept}`).join(', ');
  const busiest = Math.max(...parts.map(({ load }) => load));
  const use = parts.find(({ load }) => load === busiest)?.use ?? 0;
  const cold = `${percent(share)} find none free by Erlang B`;
  const verdict = keeps ? 'which keeps the promise' : brokenWords(parts, share, promised);
  if (!scales)
    return rows('today', `a fixed number is declared (${rests} that must be kept): ${cold}, ${verdict}`);
  const better = proposal.concurrency.provisioned.target;
  const instead =
    better <= use ? `${better} is not` : `${better} is the least there is, and \`min\` keeps the promise`;
  return rows(
    'target',
    `${target} (${whose}): scaling comes to rest at ${rests}`,
    `that must be kept, and ${cold}, ${verdict}`,
    ...(target > use
      ? [
          `it is above the use at which the promise can be kept, ${percent(use)} at ${figure(busiest)} in progress: ${instead}`,
        ]
      : []),
  );
}

/** The share may be within what is promised, and another reason ask for more. */
function brokenWords(parts: CapacityReport['parts'], share: number, promised: number): string {
  if (share > promised) return `more than ${percent(promised)}`;
  const why = parts.some(({ today }) => today.share > promised)
    ? 'not in every part of the week'
    : parts.some(({ isByRate }) => isByRate)
      ? `an instance is given no more than ten requests a second`
      : 'arrivals that were replayed need more';
  return `which is within ${percent(promised)}, yet ${why}`;
}

function proposalLines({ proposal }: CapacityReport): readonly string[] {
  if (proposal === undefined) return rows('write', 'nothing: no request comes');
  const { dollars: cost, isBounded, lacks, line, release } = proposal;
  return rows(
    'write',
    line,
    `${dollars(cost.kept + cost.requests)} a month (${dollars(cost.kept)} kept at the least, ${dollars(cost.requests)} for requests, their logs and metrics), on demand ${dollars(cost.onDemand)}`,
    isBounded
      ? '`max` is what fits: it does not let scaling go to twice the busiest hour'
      : `\`max\` lets scaling go to ${HEADROOM} times the busiest hour; ${release.versions} versions hold up to ${release.instances} during a release`,
    ...(lacks === undefined ? [] : [`it does not fit: ${lacks}`]),
  );
}

function crowdLines({ crowd, quota }: CapacityReport): readonly string[] {
  const { cold, kept, meets, most, requests, seconds, served, throttled } = crowd;
  const limit = quota.of === 'reserved' ? 'what is reserved for it' : 'what the account has unreserved';
  const why = {
    limit: `they meet ${limit}, ${instances(quota.limit)}`,
    ramp: `they meet Lambda's ramp, 1,000 new instances at once and 100 more a second; ${limit} are ${figure(quota.limit)}`,
  };
  const ask = throttled > 0 ? ', if those that are refused ask again at once' : '';
  return rows(
    `${figure(requests)} at once:`,
    `with ${kept} kept ${figure(served)} are served and ${figure(throttled)} refused with 429`,
    ...(meets === undefined ? [] : [why[meets]]),
    Number.isFinite(seconds)
      ? `all are served after ${figure(seconds)} s, by ${instances(most)}, ${figure(cold)} of them started cold${ask}`
      : 'none is ever served',
  );
}

/** Traffic that the quota cannot hold, whatever is kept. */
function overLimit({ parts, quota: { limit }, traffic: { busiest } }: CapacityReport): readonly string[] {
  const peak = Math.max(0, ...parts.map((part) => part.peak));
  const needs = Math.ceil(Math.max(peak, busiest / REQUESTS_PER_ENVIRONMENT));
  if (needs <= limit) return [];
  return [
    `the busiest hour needs ${figure(needs)} instances, more than those ${figure(limit)}: what is beyond is refused with 429`,
  ];
}

function quotaWords({ quota: { account, limit, of } }: CapacityReport): string {
  const all = `the account has ${figure(account.all)} instances, ${figure(account.unreserved)} of them unreserved (${account.from})`;
  return of === 'reserved'
    ? `${figure(limit)} reserved for this model; ${all}`
    : `${all}, which all its functions share`;
}
