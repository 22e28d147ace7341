import { expect, it } from 'vitest';
import type { Context } from '../../../../../plugins/models/context/context.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { tuneOptions } from '../../../../../plugins/models/tune/options.ts';
import { quoteOf } from '../../../../../plugins/models/tune/quote.ts';

const modelWith = (more: object) => {
  const [model] = parseModels({ churn: { artifact: 'churn.onnx', ...more } }).models;
  if (model === undefined) throw new Error('no model');
  return model;
};
const MB = 1024 ** 2;
const options = (flags: Context['flags'], more: object = {}, sourceBytes = 20 * MB) =>
  tuneOptions(modelWith(more), { sourceBytes }, flags);

it('tries a ladder with the model’s own size, as often as it takes to be sure', () => {
  expect(options({})).toEqual({ sizes: [128, 256, 512, 1024, 1769, 3008], invocations: 130 });
  expect(options({}, { memory: 2048, latency: { p95: 80 } }, 300 * MB)).toEqual({
    ...{ sizes: [512, 1024, 1769, 2048, 3008], invocations: 130 },
    objective: { percentile: 0.95, ms: 80 },
  });
  expect(options({ slo: 'p99=50' }).invocations).toBe(662);
});

it('takes a percentile for the number that it is: 99.9 / 100 is another double than 0.999', () => {
  expect(options({ slo: 'p99.9=50' }).objective).toEqual({ percentile: 0.999, ms: 50 });
  expect(options({ slo: 'p99.99=50' }).objective).toEqual({ percentile: 0.9999, ms: 50 });
});

it('takes sizes as they are named, each once', () => {
  expect(options({ memory: '1769, 512,1024,512', invocations: '50' })).toEqual({
    ...{ sizes: [512, 1024, 1769], invocations: 50 },
  });
});

it.each([
  [{ memory: '64' }, '--memory: 64 is not a whole number of MB from 128 to 10,240. Write for example'],
  [{ memory: '10241' }, '--memory: 10241 is not a whole number'],
  [{ memory: '512.5' }, '--memory: 512.5 is not a whole number'],
  [{ memory: '512,' }, '--memory: an empty size is not a whole number'],
  [{ memory: '1e3' }, '--memory: 1e3 is not a whole number'],
  [{ memory: '-512' }, '--memory: -512 is not a whole number'],
  [{ memory: true }, '--memory: true is not a whole number'],
  [{ memory: Array.from({ length: 21 }, (_, i) => 200 + i).join() }, '--memory: names 21 sizes; at most 20'],
  [{ invocations: '49' }, '--invocations: 49 is not a whole number from 50 to 10,000.'],
  [{ invocations: '10001' }, '--invocations: 10001 is not'],
  [{ invocations: '6e1' }, '--invocations: 6e1 is not'],
  [{ slo: 'p100=5' }, '--slo: p100=5 is no percentile'],
  [{ slo: 'p95=0' }, '--slo: p95=0 is no percentile'],
])('%o is refused', (flags, said) => {
  expect(() => options(flags as unknown as Context['flags'])).toThrow(said);
});

it('a size that the files of the model alone do not fit into is refused with their size', () => {
  expect(() => options({ memory: '256,512' }, {}, 300.5 * MB)).toThrow(
    '--memory: 256 MB are less than the files of churn alone take, 301 MB. Name sizes of 301 MB and more. [MODELS_USAGE]',
  );
});

it('a model whose files no function holds is refused', () => {
  expect(() => options({}, {}, 10_241 * MB)).toThrow(
    '--memory: the files of churn alone take 10,241 MB, and no function has more than 10,240 MB. Take a smaller model. [MODELS_USAGE]',
  );
  expect(options({}, {}, 3338 * MB).sizes).toEqual([4096, 6144, 8192, 10_240]);
});

it('what it costs at most is what it sends at most, each at its timeout and with a start', () => {
  const given = { sizes: [1024, 2048], invocations: 97 };
  const { about, most } = quoteOf(modelWith({ timeout: 10 }), { remote: [] }, given);
  // Twice 33, 65 and 97 in its rounds and two crashes in each: 396 requests a size.
  const gbSeconds = (1 + 2) * 396 * (10 + 10);
  expect(most.dollars).toBeCloseTo(gbSeconds * 0.0000166667 + 2 * 396 * 0.2e-6, 8);
  expect(most.seconds).toBe(120 + 2 * (396 * 20 + 3 * 10));
  // The function that is made is on demand, whatever the model has.
  const kept = modelWith({ timeout: 10, concurrency: { provisioned: 2 } });
  expect(quoteOf(kept, { remote: [] }, given).most).toEqual(most);
  expect(about.dollars).toBeLessThan(most.dollars / 50);
  expect(about.seconds).toBe(120 + 2 * (5 + 3 + 30));
});
