import { availableParallelism, cpus, release, type } from 'node:os';
import { benchTimes } from '../../../core/capacity/bench-times.ts';
import type { BenchDocument } from '../../../core/capacity/contract.ts';
import type { Facts, Model } from '../declaration/model.ts';
import { monthlyCost, total } from '../plan/cost.ts';
import { MONTH } from '../plan/shared/prices.ts';
import type { BenchMeasured, MeasureGiven } from './measure.ts';
import { measuredSize } from './target.ts';

/** What was measured, of what and with what: `bench.json`. */
export function benchDocument(
  { model, options, requests, target }: MeasureGiven,
  { first, interrupted, scenarios, curve }: BenchMeasured,
  facts: Facts,
  about: { readonly at: string; readonly plugin: string },
): BenchDocument {
  const rows = requests.all.reduce((sum, one) => sum + one.rows, 0) / requests.all.length;
  const size = measuredSize(target, model);
  const million = size && millionOf({ ...model, ...size }, facts, scenarios, rows);
  return {
    schema: 1,
    kind: 'MLPerf-like',
    model: model.name,
    ...about,
    strict: options.strict,
    interrupted,
    target: {
      kind: target.kind,
      name: target.name,
      ...(target.kind === 'function' && { version: target.version }),
      // Who answers at an address is not known, nor is what was deployed as another version.
      ...(target.kind === 'here' && { identity: facts.identity }),
      ...(target.kind !== 'url' && size && { memory: size.memory, architecture: size.architecture }),
    },
    machine: {
      processor: `${cpus()[0]?.model.trim() ?? process.arch}, ${availableParallelism()} cores`,
      system: `${type()} ${release()}`,
      node: process.version,
    },
    asked: {
      from: requests.from,
      requests: requests.all.length,
      bytes: Math.max(...requests.all.map(({ body }) => Buffer.byteLength(body))),
    },
    ...(first && { first }),
    scenarios,
    ...(curve && { curve }),
    ...(million && { million }),
  };
}

/**
 * What a million rows cost at the rate of Server, with what their requests cause beside Lambda: a month's
 * cost of such traffic, without what stands anyway.
 */
function millionOf(
  model: Model,
  facts: Facts,
  scenarios: BenchMeasured['scenarios'],
  rows: number,
): BenchDocument['million'] {
  const rate = scenarios.find(({ scenario }) => scenario === 'Server')?.rate;
  const { duration, init, isLambdas } = benchTimes({ scenarios });
  if (rate === undefined || duration === undefined || !(rate > 0 && rows > 0)) return undefined;
  const cost = monthlyCost(model, facts, rate, duration / 1000, init === undefined ? undefined : init / 1000);
  const month = total(cost);
  return {
    total: (month / (rate * MONTH * rows)) * 1e6,
    rate,
    duration,
    from: isLambdas ? 'Lambda’s own duration' : 'the latency seen by one caller, which Lambda does not bill',
  };
}
