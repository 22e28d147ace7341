import { ceilingsOf } from '../../../core/capacity/ceilings.ts';
import type { BenchCurve, BenchDocument, ScenarioResult } from '../../../core/capacity/contract.ts';
import { type CurvePoint, capacityWithin, knee, nextRate } from '../../../core/capacity/curve.ts';
import type { Timing } from '../../../core/capacity/generator.ts';
import { closedLoop } from '../../../core/capacity/generator.ts';
import { PAYLOAD_BYTES } from '../../../core/endpoint/contract.ts';
import type { Signature } from '../../../core/tensor/contract.ts';
import type { Model } from '../declaration/model.ts';
import { type BenchAsking, benchAsking } from './asking.ts';
import { firstLook } from './look.ts';
import { type BenchOptions, highestRate, ROWS } from './options.ts';
import { benchProblem } from './problems.ts';
import { type BenchRequest, type BenchRequests, isFree, offlineRequests } from './requests.ts';
import { fileRate, GRACE, offline, type ScenarioWork, server, singleStream } from './scenarios.ts';
import { type BenchTarget, measuredSize, type Usage } from './target.ts';

export type MeasureGiven = {
  readonly model: Model;
  readonly signature: Signature;
  readonly target: BenchTarget;
  readonly requests: BenchRequests;
  readonly options: BenchOptions;
  readonly timing: Timing;
  /** A person interrupted. */
  readonly ended: AbortSignal;
  readonly progress: (text: string) => void;
  readonly notice: (text: string) => void;
};

export type BenchMeasured = Pick<BenchDocument, 'interrupted' | 'first' | 'scenarios' | 'curve'> & {
  /** Why it ended before all was measured; what was measured is kept. */
  readonly gone?: Error;
};

/** Requests that nobody counts: so many milliseconds, or a tenth of a scenario. */
const WARM = 2000;
/** Where Server begins without a rate of its own: a share of what one caller at a time reaches. */
const START = 0.5;
/** Rates of a curve at most. */
const POINTS = 16;

/**
 * All scenarios that the options name, one after the other.
 *
 * @throws ProblemError where the target does not answer, or not rightly, before anything was measured
 */
export async function measure(given: MeasureGiven): Promise<BenchMeasured> {
  const { ended, model, options, requests, timing, target } = given;
  // What cannot be asked is told before anything is measured, which would be lost.
  const isOffline = options.scenarios.includes('Offline');
  const whole = isOffline ? offlineOf(given, options.scenarios.length === 1) : undefined;
  const asking = askingOf(given, requests.all);
  const first = await firstLook(given, asking);
  const warm = Math.min(WARM, options.seconds * 100);
  const warmUp = { last: warm, end: warm + GRACE, stopped: () => ended.aborted };
  const warmed = await closedLoop(timing, warmUp, (index, patience) => asking.ask(index, patience));
  const scenarios: ScenarioResult[] = [];
  let curve: BenchCurve | undefined;
  const outstanding = options.outstanding;
  const rows = meanRows(requests.all);
  const work: ScenarioWork = { timing, ended, asking, options, outstanding, rows };
  let last = asking;
  const over = (): boolean => ended.aborted || last.isGone();
  for (const scenario of options.scenarios) {
    if (over()) break;
    given.progress(`${scenario}, ${options.seconds} s`);
    if (scenario === 'SingleStream') scenarios.push(await within(given, () => singleStream(work)));
    if (scenario === 'Server') {
      const rate = rateOf(given, warmed.ended / Math.max(1, warmed.issued.length), scenarios);
      scenarios.push(await within(given, () => server(work, rate, options.seconds)));
      if (options.curve && !over()) curve = await curveOf(given, work, rate);
    }
    if (scenario === 'Offline') {
      if (whole === undefined) continue;
      last = askingOf(given, whole);
      const at = offlineOutstanding(target, outstanding);
      const many = { ...work, asking: last, outstanding: at, rows: meanRows(whole) };
      scenarios.push(await within(given, () => offline(many), whole));
    }
  }
  return {
    interrupted: ended.aborted,
    first,
    scenarios,
    ...(curve && { curve }),
    ...(last.isGone() && {
      gone: benchProblem(
        model.name,
        `stopped answering: ${last.lastFault() ?? 'every request failed'}.`,
        'Look at the log of the target; what was measured before is kept.',
      ),
    }),
  };
}

const askingOf = (
  { ended, model, signature, target }: MeasureGiven,
  requests: readonly BenchRequest[],
): BenchAsking =>
  benchAsking(target, requests, signature, model.gate?.tolerance ?? TOLERANCE, {
    most: model.timeout * 1000 + GRACE,
    ended,
  });

/** What the gate allows where nobody says else. */
const TOLERANCE = 1e-4;

/** @param warm milliseconds of a request while nobody counted */
function rateOf({ options }: MeasureGiven, warm: number, scenarios: readonly ScenarioResult[]): number {
  const mean = scenarios.find(({ scenario }) => scenario === 'SingleStream')?.mean ?? warm;
  const start = Number(((START * 1000) / Math.max(0.1, mean)).toPrecision(3));
  return options.rate ?? fileRate(options) ?? Math.min(highestRate(options.seconds), start);
}

const meanRows = (requests: readonly BenchRequest[]): number =>
  requests.reduce((sum, { rows }) => sum + rows, 0) / requests.length;

/**
 * @returns undefined where the model takes one row at a time, and nobody asked for Offline by name
 * @throws ProblemError where somebody did, or named more rows than fit
 */
function offlineOf(
  { model, notice, options, requests: { all }, signature }: MeasureGiven,
  isNamed: boolean,
): readonly BenchRequest[] | undefined {
  if (isFree(signature.inputs)) {
    const { less, requests } = offlineRequests(all, options.rows, ROWS);
    if (less !== undefined) notice(`models.${model.name}: ${less}`);
    return requests;
  }
  const fixed = signature.inputs.find(({ shape }) => shape[0] !== -1);
  const words = `Offline needs a free first dimension in every input, and ${fixed?.name ?? 'the model'} has the shape [${fixed?.shape.join(', ') ?? ''}].`;
  if (isNamed)
    throw benchProblem(
      model.name,
      words,
      'Export the model with a dynamic batch dimension, or measure SingleStream and Server.',
    );
  notice(`models.${model.name}: ${words} It is left out.`);
  return undefined;
}

/** Few, since one holds many rows: enough for the next to lie ready when one is answered. */
const offlineOutstanding = ({ kind, concurrency }: BenchTarget, most: number): number =>
  Math.min(most, kind === 'function' ? (concurrency ?? 50) : 4, 50);

/** A scenario with what the target used meanwhile. */
async function within(
  { model, requests, target, timing }: MeasureGiven,
  run: () => Promise<ScenarioResult>,
  sent: readonly BenchRequest[] = requests.all,
): Promise<ScenarioResult> {
  const [from, before] = [timing.clock(), await target.usage?.()];
  const result = await run();
  const [seconds, after] = [(timing.clock() - from) / 1000, await target.usage?.()];
  const used = {
    cpu: before && after && spent(before, after),
    memory: after?.memory ?? result.memory,
    seconds,
    outstanding: target.kind === 'function' ? result.outstanding : undefined,
    request: Math.max(...sent.map(({ body }) => Buffer.byteLength(body))),
    answer: result.bytes,
  };
  const limits = {
    memory: measuredSize(target, model)?.memory,
    concurrency: target.concurrency,
    payload: PAYLOAD_BYTES,
  };
  return { ...result, ceilings: ceilingsOf(used, limits) };
}

/** A process that was started anew has spent less than the one before. */
const spent = (before: Usage, after: Usage): number | undefined =>
  after.cpu >= before.cpu ? after.cpu - before.cpu : undefined;

async function curveOf(given: MeasureGiven, work: ScenarioWork, rate: number): Promise<BenchCurve> {
  const { options, progress } = given;
  const { objective } = options;
  const points: CurvePoint[] = [];
  const results = new Map<number, ScenarioResult>();
  const bounds = { objective: objective?.ms, lowest: rate / 64, highest: highestRate(options.seconds) };
  while (points.length < POINTS && !work.ended.aborted && !work.asking.isGone()) {
    const next = nextRate(points, rate / 2, bounds);
    if (next === undefined) break;
    progress(`Curve: ${Number(next.toPrecision(3))} requests a second, ${options.seconds} s`);
    const result = await within(given, () => server(work, next, options.seconds));
    if (work.ended.aborted) break;
    results.set(next, result);
    points.push(pointOf(next, result, objective?.percentile));
  }
  const at = knee(points);
  const capacity = objective && capacityWithin(points, objective.ms);
  const best = capacity === undefined ? undefined : results.get(capacity);
  return {
    ...(objective && { objective }),
    points: points.toSorted((a, b) => a.rate - b.rate),
    ...(at !== undefined && { knee: at }),
    ...(capacity !== undefined && { capacity }),
    ...(best && {
      atCapacity: { ceilings: best.ceilings, samples: best.samples, sustained: best.sustained },
    }),
  };
}

function pointOf(rate: number, result: ScenarioResult, percentile = 0.99): CurvePoint {
  const latency = result.percentiles.find((one) => one.percentile === percentile)?.ms;
  const upper = result.promised?.upper;
  const isBehind = result.faults.some(({ kind }) => kind === 'backlog' || kind === 'errors');
  return {
    rate,
    answered: result.samples,
    ...(latency !== undefined && { latency }),
    ...(upper !== undefined && { upper }),
    ...(result.mean > 0 && { mean: result.mean }),
    keptUp: !isBehind,
  };
}
