import { expect, it } from 'vitest';
import type { GateState } from '../../../../core/gate/contract.ts';
import { gateFix } from '../../../../core/gate/fix.ts';
import type { MetricState } from '../../../../core/quality/contract.ts';

const state = (more: Partial<GateState>): GateState => ({
  ...{ verdict: 'fail', done: 20, count: 20, failed: [] },
  ...more,
});
const metric = (verdict: 'pass' | 'fail' | 'nodata', reason: string): MetricState => ({
  ...{ name: 'auc', rows: 800, done: 800, refused: [] },
  result: { verdict, reason },
});
const load = { sent: 60, errors: 0, cold: 0, p50: 20, p95: 300, p99: 400, max: 400 };

it('tells what to do about what was at fault, and about nothing else', () => {
  expect(gateFix(state({ failed: [3] }))).toMatch(/the case that expects something else$/);
  expect(gateFix(state({ metric: { ...metric('fail', ''), refused: [7] } }))).toMatch(/labelled rows/);
  const below = metric('fail', 'auc 0.66 is beyond min 0.85.');
  expect(gateFix(state({ metric: below, reason: 'auc 0.66 is beyond min 0.85.' }))).toBe(
    'Fix the model, or write another limit of `gate.metric`',
  );
  const across = metric('nodata', 'the interval lies across min 0.85.');
  expect(gateFix(state({ metric: across, reason: 'the interval lies across min 0.85.' }))).toMatch(
    /^Label more rows/,
  );
  // Where `onNoData` lets those rows pass, the load was at fault.
  expect(gateFix(state({ metric: across, load, reason: 'p95 300 ms is above the objective.' }))).toMatch(
    /`gate.load` or `latency.p95`$/,
  );
  expect(gateFix(state({ memory: 1000, reason: 'It took 1000 of 1024 MB.' }))).toMatch(/more `memory`$/);
  expect(gateFix(state({ done: 0, count: 0 }))).toMatch(/^Fix the model/);
});
