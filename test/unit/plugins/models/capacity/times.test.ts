import { describe, expect, it } from 'vitest';
import { benchTimes } from '../../../../../core/capacity/bench-times.ts';
import type { BenchDocument, ScenarioResult } from '../../../../../core/capacity/contract.ts';
import { isDurationTold, requestTimes, timeFlags } from '../../../../../plugins/models/capacity/times.ts';
import { declaredModels, FACTS } from '../../../../fixtures/service.ts';

const scenario = (more: Partial<ScenarioResult>): ScenarioResult =>
  ({ scenario: 'Server', mean: 30, cold: { count: 0 }, ...more }) as ScenarioResult;
const bench = (scenarios: readonly ScenarioResult[], target: object = {}): BenchDocument =>
  ({
    at: '2026-11-20T08:00:00.000Z',
    target: {
      kind: 'function',
      name: 'f:live',
      version: '3',
      memory: 1769,
      architecture: 'x86_64',
      ...target,
    },
    scenarios,
  }) as unknown as BenchDocument;

const [model] = declaredModels({ churn: {} });
if (model === undefined) throw new Error('no model');
const times = (flags: object, known: Parameters<typeof requestTimes>[3] = {}, facts = FACTS) =>
  requestTimes(model, facts, timeFlags(flags as never), known);
const cloudWatch = { ms: 17, from: 'measured by CloudWatch' };

describe('how long a request takes', () => {
  const benched = bench([scenario({ duration: 12, cold: { count: 2, median: 700, max: 800, init: 640 } })]);
  it('is what is given, else of the bench, else of CloudWatch, else assumed', () => {
    expect(times({ duration: '20', init: '300' }, { bench: benched, cloudWatch })).toEqual({
      duration: { ms: 20, from: '--duration' },
      init: { ms: 300, from: '--init' },
    });
    const from = 'measured by the bench of version 3 of 2026-11-20';
    expect(times({}, { bench: benched, cloudWatch })).toEqual({
      duration: { ms: 12, from },
      init: { ms: 640, from },
    });
    expect(times({}, { cloudWatch })).toEqual({
      duration: cloudWatch,
      init: { ms: 500, from: 'assumed' },
    });
    expect(times({}).duration).toEqual({ ms: 50, from: 'assumed' });
    // What is read from S3 at start is known by its bytes.
    const remote = [{ path: 'm', sha256: '', bytes: 75e6 }];
    expect(times({}, {}, { ...FACTS, remote }).init).toEqual({ ms: 1575, from: 'assumed' });
  });
  it('a bench of another memory or architecture says nothing of this one', () => {
    const [{ scenarios }] = [benched];
    expect(times({}, { bench: bench(scenarios, { memory: 512 }) }).duration.from).toBe('assumed');
    expect(times({}, { bench: bench(scenarios, { architecture: 'arm64' }) }).duration.from).toBe('assumed');
    // Lambda did not tell which it had.
    const untold = bench(scenarios, { memory: undefined, architecture: undefined });
    expect(times({}, { bench: untold }).duration.from).toBe('assumed');
  });
  it.each([
    ['duration', '0'],
    ['duration', 'soon'],
    ['duration', ''],
    ['duration', '900001'],
    ['init', '-1'],
    ['init', '10001'],
    ['init', 'NaN'],
  ])('--%s %s is refused', (name, value) => {
    expect(() => timeFlags({ [name]: value })).toThrow(
      expect.objectContaining({
        problems: [
          expect.objectContaining({
            code: 'MODELS_USAGE',
            key: `--${name}`,
            fix: expect.stringContaining('for example'),
          }),
        ],
      }),
    );
  });
});

it('CloudWatch is asked where neither a person nor a bench of such a function says it', () => {
  const asks = (flags: object, found?: BenchDocument): boolean =>
    !isDurationTold(model, timeFlags(flags as never), { bench: found });
  const benched = [scenario({ duration: 12 })];
  expect([asks({}), asks({ duration: '20' }), asks({}, bench(benched))]).toEqual([true, false, false]);
  expect(asks({}, bench(benched, { memory: 512 }))).toBe(true);
  // One that was ended before anything was answered.
  expect(asks({}, bench([]))).toBe(true);
});

describe('a bench', () => {
  it('latencies of a target that did not keep up are no time of a request', () => {
    const faults = [{ kind: 'backlog', words: '' }] as const;
    const behind = scenario({ mean: 8000, verdict: 'INVALID', faults });
    expect(benchTimes(bench([behind]))).toEqual({ isLambdas: false });
    expect(benchTimes(bench([scenario({ mean: 8 })])).duration).toBe(8);
    // What Lambda itself says has no waiting in it.
    expect(benchTimes(bench([{ ...behind, duration: 12 }])).duration).toBe(12);
    expect(benchTimes(bench([scenario({ scenario: 'SingleStream', mean: 9 }), behind])).duration).toBe(9);
  });
  it('Lambda’s own duration is believed before what callers saw', () => {
    const single = scenario({ scenario: 'SingleStream', mean: 9 });
    expect(benchTimes(bench([single, scenario({ duration: 12 })]))).toEqual({
      duration: 12,
      isLambdas: true,
    });
    expect(benchTimes(bench([single, scenario({})]))).toEqual({ duration: 9, isLambdas: false });
    expect(benchTimes(bench([]))).toEqual({ isLambdas: false });
    expect(times({}, { bench: bench([single]) }).duration.from).toBe(
      'latency seen by the bench of version 3 of 2026-11-20',
    );
  });
  it('one that was kept before INIT was has what cold requests took', () => {
    const old = scenario({ duration: 12, cold: { count: 1, median: 512, max: 512 } });
    expect(benchTimes(bench([old]))).toMatchObject({ init: 500 });
  });
});
