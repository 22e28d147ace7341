import { expect, it } from 'vitest';
import { benchTimes } from '../../../../core/capacity/bench-times.ts';
import type { BenchDocument } from '../../../../core/capacity/contract.ts';
import { benchesIn } from '../../../../core/registry/benches.ts';
import { registry } from '../../../../core/registry/registry.ts';
import { fakeObjects } from '../../../fakes/objects.ts';

const SCOPE = 'models/1/eu-central-1/shop/dev/';
const bench = (version: string, at: string) => ({
  ...({
    schema: 1,
    kind: 'MLPerf-like',
    model: 'churn',
    plugin: '1',
    strict: false,
    interrupted: false,
  } as const),
  at,
  target: { kind: 'function', name: 'shop-dev-churn:live', version } as const,
  machine: {},
  asked: { from: 'made of the signature', requests: 1, bytes: 9 },
  scenarios: [],
});

it('keeps a bench beside the records of versions, and finds the newest of each', async () => {
  const objects = fakeObjects();
  const benches = benchesIn(objects.port, SCOPE);
  const first: BenchDocument = bench('3', '2026-11-27T10:00:00.000Z');
  expect(await benches.keep(bench('3', first.at), '<p>first</p>')).toBe(
    `${SCOPE}versions/churn/bench/3-20261127T100000000Z.json`,
  );
  await benches.keep(bench('3', '2026-11-27T12:00:00.000Z'), '<p>second</p>');
  await benches.keep(bench('31', '2026-11-27T13:00:00.000Z'), '<p>other</p>');
  // A second time nothing happens.
  await benches.keep(bench('3', first.at), '<p>again</p>');
  const found = await benches.newest('churn', ['3', '4', '31']);
  expect(found.map(({ at, target }) => [target.version, at.slice(11, 13)])).toEqual([
    ['3', '12'],
    ['31', '13'],
  ]);
  const page = await objects.port.get(`${SCOPE}versions/churn/bench/3-20261127T100000000Z.html`);
  expect(page?.text).toBe('<p>first</p>');
  // Nobody takes it for a record of a version.
  expect(await registry(objects.port, SCOPE).records('churn')).toEqual([]);
});

it('passes over what is none of its documents', async () => {
  const objects = fakeObjects();
  await objects.port.create(`${SCOPE}versions/churn/bench/3-1.json`, '{"schema": 2}');
  await objects.port.create(`${SCOPE}versions/churn/bench/4-1.json`, 'no JSON');
  expect(await benchesIn(objects.port, SCOPE).newest('churn', ['3', '4'])).toEqual([]);
});

it('passes over one that lacks what a cost is counted with, or has it as something else', async () => {
  const objects = fakeObjects();
  const whole = {
    ...{ scenario: 'Server', verdict: 'VALID', samples: 3, percentiles: [], faults: [{ kind: 'backlog' }] },
    ...{ cold: { count: 1, median: 700, init: 500 }, duration: 20, mean: 25 },
  };
  const { cold: _, ...lacking } = whole;
  const others = [
    lacking,
    { ...whole, cold: null },
    { ...whole, cold: { count: 1, init: '500' } },
    { ...whole, cold: { count: 1, median: [700] } },
    { ...whole, duration: '20' },
    { ...whole, mean: {} },
    { ...whole, faults: 'backlog' },
    { ...whole, faults: [null] },
  ];
  for (const [i, scenario] of [...others, whole].entries()) {
    const document = { ...bench(String(i), '2026-11-27T10:00:00.000Z'), scenarios: [scenario] };
    await objects.port.create(`${SCOPE}versions/churn/bench/${i}-1.json`, JSON.stringify(document));
  }
  const versions = [...others.keys(), others.length].map(String);
  const found = await benchesIn(objects.port, SCOPE).newest('churn', versions);
  expect(found.map(({ target }) => target.version)).toEqual([String(others.length)]);
  expect(found.map(benchTimes)).toEqual([{ duration: 20, isLambdas: true, init: 500 }]);
});
