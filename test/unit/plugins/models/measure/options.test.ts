import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ScenarioResult } from '../../../../../core/capacity/contract.ts';
import type { Context } from '../../../../../plugins/models/context/context.ts';
import { promisedWords } from '../../../../../plugins/models/measure/bench-words.ts';
import { benchOptions } from '../../../../../plugins/models/measure/options.ts';
import { declaredModels } from '../../../../fixtures/service.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bench-options-'));
  await writeFile(join(folder, 'milliseconds.txt'), '1795910400000\n1795910460000\n');
  await writeFile(join(folder, 'relative.txt'), '0\n86400000\n');
  await writeFile(join(folder, 'times.txt'), '0\n0.1\n0.2\n');
  await writeFile(join(folder, 'many.txt'), `${'0\n'.repeat(3_000_000)}1\n`);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function optionsOf(flags: Readonly<Record<string, string | boolean>>, declared: object = {}) {
  const [model] = declaredModels({ churn: declared });
  if (model === undefined) throw new Error('no model');
  const notices: string[] = [];
  const context = { flags, service: { dir: folder }, notice: (text: string) => notices.push(text) };
  return { options: await benchOptions(model, context as unknown as Context), notices };
}

describe('an option of another scenario is refused, not passed over', () => {
  it.each([
    ['slo', 'p99=50', 'SingleStream', 'Server'],
    ['rate', '5', 'SingleStream', 'Server'],
    ['arrivals', 'even', 'Offline', 'Server'],
    ['runs', '3', 'offline', 'Server'],
    ['seed', '3', 'SingleStream', 'Server'],
    ['curve', true, 'SingleStream', 'Server'],
    ['rows', '8', 'Server', 'Offline'],
    ['outstanding', '8', 'SingleStream', 'Server and Offline'],
  ])('--%s %s with %s', async (name, value, scenario, of) => {
    await expect(optionsOf({ [name]: value, scenario })).rejects.toThrow(
      `--${name}: applies to ${of} only, and --scenario is ${scenario}. Leave one of them out. [MODELS_USAGE]`,
    );
    await expect(optionsOf({ [name]: value })).resolves.toBeDefined();
  });
});

describe('a file of arrivals in another unit, or beyond what a bench holds', () => {
  it.each([
    [
      'milliseconds.txt',
      '--arrivals: milliseconds.txt, line 1: 1795910400000 is beyond 100,000,000,000 s, the year 5138: divide times in milliseconds by 1,000.',
    ],
    [
      'relative.txt',
      '--arrivals: relative.txt lasts 86,400,000 s; a bench lasts 86,400 s at most. Write seconds: divide times in milliseconds by 1,000; or replay a part of it.',
    ],
    [
      'many.txt',
      '--arrivals: many.txt has 3,000,001 requests; a bench holds 3,000,000 at most. Replay a part of it.',
    ],
  ])('%s', async (arrivals, words) => {
    await expect(optionsOf({ arrivals })).rejects.toThrow(`${words} `.trim());
    await expect(optionsOf({ arrivals })).rejects.toThrow('[MODELS_USAGE]');
  });
});

describe('traffic that a bench cannot show', () => {
  it.each(['0/s', '40/h'])('%s is no rate of Server', async (traffic) => {
    const { notices, options } = await optionsOf({}, { traffic });
    expect(options.rate).toBeUndefined();
    expect(notices).toEqual([
      expect.stringMatching(
        /^models\.churn\.traffic: 0(\.0111)? requests a second are less than one in a run of 12 s\. Server takes half of what one caller reaches\.$/,
      ),
    ]);
    // Nobody asks at a rate there.
    expect((await optionsOf({ scenario: 'Offline' }, { traffic })).notices).toEqual([]);
  });

  it('is one where a run is long enough', async () => {
    expect(await optionsOf({ duration: '600' }, { traffic: '40/h' })).toMatchObject({
      options: { rate: expect.closeTo(40 / 3600) },
      notices: [],
    });
  });

  it('of more than a bench can hold is told as what it is, and is nothing to who measures no Server', async () => {
    const { notices, options } = await optionsOf({ strict: true }, { traffic: '6000/s' });
    expect(options.rate).toBeUndefined();
    expect(notices).toEqual([
      'models.churn.traffic: 6000 requests a second for 600 s are more than a bench can hold: at most 5000. Server takes half of what one caller reaches.',
    ]);
    const single = await optionsOf({ strict: true, scenario: 'SingleStream' }, { traffic: '6000/s' });
    expect([single.options.rate, single.notices]).toEqual([undefined, []]);
    await expect(optionsOf({ strict: true, rate: '6000' }, { traffic: '1/s' })).rejects.toThrow(
      '--rate: 6000 requests a second for 600 s are more than a bench can hold: at most 5000. Lower --rate or --duration. [MODELS_USAGE]',
    );
  });

  it('is not the rate of a file of arrivals', async () => {
    const { notices, options } = await optionsOf({ arrivals: 'times.txt' }, { traffic: '400/s' });
    expect([options.rate, notices]).toEqual([undefined, []]);
  });

  it('is refused as an option', async () => {
    await expect(optionsOf({ rate: '0.01' })).rejects.toThrow(
      '--rate: 0.01 requests a second are less than one in a run of 12 s. Raise --rate or --duration, or lower --runs. [MODELS_USAGE]',
    );
  });
});

it('a promise says how many requests are not in it, since they started an instance', () => {
  const result = {
    ...{ requests: 3000, cold: { count: 1000, median: 1400, max: 1500 } },
    promised: { percentile: 0.95, seeds: [1], runs: [20, 22], upper: 23, lower: 19 },
  } as unknown as ScenarioResult;
  expect(promisedWords(result)).toBe(
    'p95 in 2 runs: 20 ms to 22 ms; with 99 % confidence it is 19 ms to 23 ms; 33.3 % of the requests started cold, in up to 1500 ms, and are not in it',
  );
  expect(promisedWords({ ...result, cold: { count: 0 } })).not.toContain('cold');
});
