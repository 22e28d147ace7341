import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { advise } from '../../../../../core/advice/advise.ts';
import type { BenchDocument } from '../../../../../core/capacity/contract.ts';
import { benchFigures, benchInFile, figuresIn } from '../../../../../plugins/models/advise/bench-figures.ts';
import { knownFile } from '../../../../../plugins/models/advise/known-file.ts';
import { adviceNeeds } from '../../../../../plugins/models/advise/needs.ts';
import { pricesOf } from '../../../../../plugins/models/advise/price-file.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { PRICE_LIST } from '../../../../../plugins/models/plan/shared/prices.ts';
import { sevenBillion } from '../../../../fixtures/large-model.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'advise-inputs-'));
  await writeFile(join(folder, 'seven.onnx'), sevenBillion());
  await writeFile(join(folder, 'text.onnx'), 'This is no model, but a text of some length.');
  await writeFile(join(folder, 'empty.onnx'), '');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const file = { size: { weights: [], rest: 1e6 }, rowBytes: 40 };
const given = (flags: Readonly<Record<string, string>>) => adviceNeeds(flags, file);

describe('options that cannot be used are refused with key, value, limit and fix', () => {
  it.each([
    [
      'traffic',
      '0',
      /--traffic: 0 is not a rate from 0.000001 to 1,000,000 requests a second\. Write for example/,
    ],
    ['traffic', '-5', /--traffic: -5 is not a rate/],
    ['traffic', '5/week', /--traffic: 5\/week is not a rate/],
    ['traffic', 'many', /--traffic: many is not a rate/],
    ['latency', '0', /--latency: 0 is not a time from 0.001 ms to 30 days\. Write for example 5 or 5ms/],
    ['latency', '-1', /--latency: -1 is not a time/],
    ['latency', '400d', /--latency: 400d is not a time/],
    ['latency', '1e3', /--latency: 1e3 is not a time/],
    ['privacy', 'secret', /--privacy: secret is none of central, local\. Write one of central, local\./],
    ['update', 'yearly', /--update: yearly is none of never, monthly, weekly, daily, hourly\./],
    ['architecture', 'mips', /--architecture: mips is none of x86_64, arm64\./],
    ['payload', '0', /--payload: 0 is not a size from 1 byte to 1024 GB\./],
    ['device-memory', '512 pages', /--device-memory: 512 pages is not a size/],
    [
      'duration',
      '0',
      /--duration: 0 is not a number of milliseconds from 0.001 to 900000\. Write for example 20\./,
    ],
    ['budget', '-3', /--budget: -3 is not dollars a month from 0.01 to 1000000000\./],
    ['burst', '0.5', /--burst: 0.5 is not a number from 1 to 1000\./],
    ['memory', '', /--memory: {2}is not a number of MB/],
    ['memory', '64', /--memory: 64 is not a number of MB from 128 to 10000000\./],
  ])('--%s %s', (name, value, message) => {
    expect(() => given({ [name]: value })).toThrow(message);
  });

  it('more requests at once than anything is made for, also in a burst alone', () => {
    expect(() => given({ traffic: '1000', duration: '1000', burst: '1000' })).toThrow(
      '--traffic: 1,000 requests a second, 1,000 times as many in a burst, of 1 s each are 1,000,000 at once; 100,000 are the most that is counted.',
    );
    expect(() => given({ traffic: '1000', duration: '1000', burst: '100' })).not.toThrow();
    expect(() => given({ traffic: '1000000', duration: '900000' })).toThrow(
      /--traffic: 1,000,000 requests a second of 15 min each are 900,000,000 at once; 100,000 are the most/,
    );
  });
});

it.each([
  [{ latency: '5' }, 'latency', 0.005],
  [{ latency: '2s' }, 'latency', 2],
  [{ latency: '8h' }, 'latency', 28_800],
  [{ traffic: '100' }, 'traffic', 100],
  [{ traffic: '40/h' }, 'traffic', 40 / 3600],
  [{ payload: '20KB' }, 'payload', 20_480],
  [{ 'device-memory': '512KB' }, 'deviceMemory', 524_288],
  [{ duration: '50' }, 'service', 0.05],
] as const)('%j', (flags, name, value) => {
  expect(given(flags)[name]?.value).toBeCloseTo(value, 9);
});

describe('what is known goes before what is guessed', () => {
  const { models, problems } = parseModels({
    churn: {
      ...{ artifact: 'a.onnx', traffic: '5/s', latency: { p95: 80 }, memory: 2048 },
      needs: { update: 'weekly', privacy: 'central', budget: 50, payload: '20KB', burst: 2 },
    },
  });
  const [model] = models;

  it('a model’s keys', () => {
    expect(problems).toEqual([]);
    expect(adviceNeeds({}, file, model)).toMatchObject({
      latency: { value: 0.08, from: 'models.churn.latency.p95' },
      traffic: { value: 5, from: 'models.churn.traffic' },
      memory: { value: 2048, from: 'models.churn.memory', isGuess: false },
      update: { value: 'weekly', from: 'models.churn.needs.update' },
      privacy: { value: 'central', from: 'models.churn.needs.privacy' },
      budget: { value: 50, from: 'models.churn.needs.budget' },
      payload: { value: 20_480, from: 'models.churn.needs.payload', isGuess: false },
      burst: { value: 2, from: 'models.churn.needs.burst' },
      service: { from: 'assumed', isGuess: true },
    });
  });

  it('an option before a key, and both before a bench', () => {
    const bench = { service: { value: 0.031, from: 'a bench' }, payload: { value: 7, from: 'a bench' } };
    const needs = adviceNeeds({ latency: '20' }, file, model, bench);
    expect(needs).toMatchObject({
      latency: { value: 0.02, from: '--latency' },
      service: { value: 0.031, from: 'a bench', isGuess: false },
      payload: { value: 20_480 },
    });
    expect(adviceNeeds({ duration: '9' }, file, model, bench).service).toMatchObject({ value: 0.009 });
  });
});

describe('memory that does not hold the weights', () => {
  const large = { size: { weights: [], rest: 3e9 }, rowBytes: 40 };
  // Its default, which nobody wrote.
  const [model] = parseModels({ churn: { artifact: 'a.onnx' } }).models;

  it('is refused where it is asked for', () => {
    expect(() => adviceNeeds({ memory: '1769' }, large)).toThrow(
      '--memory: 1,769 MB are less than the weights alone take, 2,862 MB. Write 2862 or more, or leave it out.',
    );
    expect(adviceNeeds({ memory: '2862' }, large).memory).toMatchObject({ value: 2862, isGuess: false });
  });

  it('is not counted where it is declared: a guess is, unless a bench has run with it', () => {
    const { memory } = adviceNeeds({}, large, model);
    expect(memory).toEqual({
      value: 3820,
      from: 'assumed, since the weights alone are more than models.churn.memory',
      isGuess: true,
    });
    expect(advise(adviceNeeds({ traffic: '1' }, large, model), PRICE_LIST).forms).toContainEqual(
      expect.objectContaining({
        form: 'fargate',
        cost: expect.objectContaining({ made: '2 tasks of 1 vCPU, 4 GB' }),
      }),
    );
    const bench = { memory: { value: 3008, from: 'bench of version 3' } };
    expect(adviceNeeds({}, large, model, bench).memory).toEqual({ ...bench.memory, isGuess: false });
    expect(adviceNeeds({}, file, model).memory).toMatchObject({ value: 1769, from: 'models.churn.memory' });
  });
});

describe('a bench of another memory or architecture', () => {
  const [model] = parseModels({ churn: { artifact: 'a.onnx', memory: 2048 } }).models;
  const at = (value: number, architecture: 'x86_64' | 'arm64') => ({
    ...{
      service: { value: 0.69, from: 'bench of version 3' },
      start: { value: 9, from: 'bench of version 3' },
    },
    ...{ memory: { value, from: 'bench of version 3' }, architecture },
    payload: { value: 7, from: 'bench of version 3' },
  });

  it.each([
    [at(2048, 'x86_64'), 0.69, undefined],
    [
      at(128, 'x86_64'),
      undefined,
      'bench of version 3 has 128 MB, x86_64, and 2,048 MB, x86_64, are counted',
    ],
    [
      at(2048, 'arm64'),
      undefined,
      'bench of version 3 has 2,048 MB, arm64, and 2,048 MB, x86_64, are counted',
    ],
  ])('%j', (bench, seconds, words) => {
    const needs = adviceNeeds({}, file, model, bench);
    expect([needs.service.isGuess, needs.start.isGuess]).toEqual([
      seconds === undefined,
      seconds === undefined,
    ]);
    if (seconds !== undefined) expect(needs.service.value).toBe(seconds);
    // How large requests are does not depend on it.
    expect(needs.payload.value).toBe(7);
    const unknown = advise(needs, PRICE_LIST).unknown.map(({ what }) => what);
    expect(unknown.filter((what) => /are left out/.test(what))).toEqual(
      words === undefined
        ? []
        : [`How fast it is at that size: the ${words}, so that its times are left out.`],
    );
  });

  it('of a version of which Lambda did not tell them is left out, too; one at an address is not', () => {
    const { memory: _, architecture: __, ...untold } = at(1, 'arm64');
    expect(adviceNeeds({}, file, model, { ...untold, isSizeUntold: true }).service.isGuess).toBe(true);
    expect(adviceNeeds({}, file, model, untold).service.isGuess).toBe(false);
  });

  it('without any size told is counted at its own', () => {
    const needs = adviceNeeds({}, file, undefined, at(512, 'arm64'));
    expect(needs).toMatchObject({ memory: { value: 512 }, architecture: 'arm64', service: { value: 0.69 } });
    expect(adviceNeeds({ memory: '1024' }, file, undefined, at(512, 'arm64')).service.isGuess).toBe(true);
    // Nothing of it would be used.
    expect(
      adviceNeeds({ duration: '9', start: '9' }, file, model, at(128, 'arm64')).benchLeftOut,
    ).toBeUndefined();
  });
});

describe('the file', () => {
  const read = (name: string) =>
    knownFile(name, { key: name, serviceDir: folder, progress: () => undefined });

  it('tells its parameters by shapes, although its weights are not there', async () => {
    const { rowBytes, size } = await read('seven.onnx');
    expect(size.weights).toEqual([{ elements: expect.any(Number), bits: 32, canShrink: true }]);
    expect((size.weights[0]?.elements ?? 0) / 7e9).toBeCloseTo(1, 4);
    expect(size.rest).toBeLessThan(1000);
    expect(rowBytes).toBe(8);
  });

  it('that is no ONNX model is refused', async () => {
    await expect(read('text.onnx')).rejects.toThrow(/text\.onnx: text\.onnx: .*MODELS_ARTIFACT_INVALID/);
    await expect(read('empty.onnx')).rejects.toThrow(/The file is empty\./);
  });

  it('that is not there is refused', async () => {
    await expect(read('none.onnx')).rejects.toThrow(/none\.onnx does not exist.*MODELS_ARTIFACT_MISSING/);
  });
});

describe('a file of prices', () => {
  const read = async (content: string) => {
    await writeFile(join(folder, 'prices.json'), content);
    return pricesOf('prices.json', folder);
  };

  it('takes the place of ours, by name, as a number or as --json prints it', async () => {
    const prices = await read(
      '{"ec2.c7g.large.hour": 0.08, "alb.hour": {"dollars": 0.03, "read": "2026-11-01", "doubt": "a guess"}}',
    );
    expect(prices['ec2.c7g.large.hour']).toEqual({
      ...{ dollars: 0.08, unit: 'hour', source: 'prices.json', read: 'as given' },
    });
    expect(prices['alb.hour']).toMatchObject({ dollars: 0.03, read: '2026-11-01', doubt: 'a guess' });
    expect(prices['lambda.request']).toEqual(PRICE_LIST['lambda.request']);
  });

  it('may begin with a byte order mark', async () => {
    expect((await read('\uFEFF{"alb.hour": 0.03}'))['alb.hour'].dollars).toBe(0.03);
  });

  it.each([
    [
      '{"lambda.request": -1}',
      /--prices lambda\.request: -1 in prices\.json is not a number of dollars from 0 to 10,000\. Write what one request costs/,
    ],
    ['{"lambda.request": "cheap"}', /--prices lambda\.request: "cheap" in prices\.json is not a number/],
    ['{"lambda.request": 1e9}', /from 0 to 10,000/],
    [
      '{"lambda.requests": 1}',
      /--prices lambda\.requests: in prices\.json is not a price that exists here\. Use one of lambda\.request,/,
    ],
    ['[1]', /--prices: prices\.json is no JSON object/],
    ['{', /--prices: prices\.json is not JSON/],
  ])('%s is refused', async (content, message) => {
    await expect(read(content)).rejects.toThrow(message);
  });

  it('all that is wrong with it is told at once', async () => {
    await expect(read('{"a": 1, "alb.hour": -1}')).rejects.toMatchObject({ problems: { length: 2 } });
  });

  it('that is not there is refused', async () => {
    await expect(pricesOf('none.json', folder)).rejects.toThrow(/--prices: none\.json cannot be read/);
  });
});

describe('a bench', () => {
  const scenario = {
    scenario: 'SingleStream',
    ...{ mean: 14, duration: 12, bytes: 300, cold: { count: 2, median: 900 }, outcomes: { ok: 40 } },
  };
  const document = {
    ...{ schema: 1, at: '2026-11-27T15:00:00.000Z', asked: { bytes: 700 }, scenarios: [scenario] },
    target: { kind: 'function', name: 'f', memory: 1024, architecture: 'arm64' },
  } as unknown as BenchDocument;

  it('tells time, start, payload and memory', () => {
    expect(benchFigures(document, 'x')).toEqual({
      service: { value: 0.012, from: 'x, 2026-11-27' },
      start: { value: 0.888, from: 'x, 2026-11-27' },
      payload: { value: 1000, from: 'x, 2026-11-27', larger: 700 },
      memory: { value: 1024, from: 'x, 2026-11-27' },
      architecture: 'arm64',
    });
    const untold = { ...document, target: { kind: 'function', name: 'f' } } as const;
    expect(benchFigures(untold, 'x')).toMatchObject({ isSizeUntold: true });
  });

  it('tells how large one request is, not one of Offline, which has many rows', () => {
    const offline = { ...scenario, scenario: 'Offline', bytes: 19_200 };
    const both = { ...document, scenarios: [scenario, offline] } as unknown as BenchDocument;
    expect(benchFigures(both, 'x').payload).toMatchObject({ value: 1000, larger: 700 });
  });

  it('of an address says so: the way there is in its times, and nobody knows the processor', () => {
    const [{ duration: _, ...seen }] = [scenario];
    const target = { kind: 'url', name: 'http://10.0.0.7:8080' };
    const remote = { ...document, target, scenarios: [seen] } as unknown as BenchDocument;
    expect(benchFigures(remote, 'x').service).toEqual({
      value: 0.014,
      from: 'x, 2026-11-27, with the way to http://10.0.0.7:8080',
    });
  });

  it('of this machine is counted with the part of a processor that the function has', () => {
    const here = (memory: number) =>
      benchFigures({ ...document, target: { kind: 'here', name: 'this machine', memory } }, 'x').service
        ?.value;
    expect(here(442.25)).toBeCloseTo(4 * 0.012, 9);
    expect(here(3008)).toBe(0.012);
  });

  it('without an answer tells nothing of time', () => {
    const none = {
      ...document,
      scenarios: [],
      target: { kind: 'url', name: 'u' },
    } as unknown as BenchDocument;
    expect(benchFigures(none, 'x')).toEqual({ payload: { value: 700, from: 'x, 2026-11-27' } });
  });

  it('that is none is refused where a person names it, and left alone where it lies about', async () => {
    expect(figuresIn('{"schema": 2}', 'x')).toBeUndefined();
    expect(figuresIn('no JSON', 'x')).toBeUndefined();
    const inside = { ...document, scenarios: [{ scenario: 'Server' }, 7] };
    expect(figuresIn(JSON.stringify(inside), 'x')).toBeUndefined();
    expect(figuresIn(JSON.stringify(document), 'x')).toEqual(benchFigures(document, 'x'));
    await writeFile(join(folder, 'bench.json'), '{}');
    await expect(benchInFile('bench.json', folder)).rejects.toThrow(
      /--bench: bench\.json is no document of bench\. Name the bench\.json that `sls models bench` wrote\./,
    );
    await expect(benchInFile('none.json', folder)).rejects.toThrow(/--bench: none\.json cannot be read/);
  });
});
