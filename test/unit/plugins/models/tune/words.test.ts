import { expect, it } from 'vitest';
import { tuneDocument } from '../../../../../plugins/models/tune/document.ts';
import { tuneOptions } from '../../../../../plugins/models/tune/options.ts';
import { quoteOf } from '../../../../../plugins/models/tune/quote.ts';
import { measureSizes } from '../../../../../plugins/models/tune/sizes.ts';
import { otherwiseDeployed, quoteText, tuneText } from '../../../../../plugins/models/tune/tune-words.ts';
import { declaredModels, FACTS } from '../../../../fixtures/service.ts';

const [model] = declaredModels({ churn: {} });
if (model === undefined) throw new Error('no model');

function told(flags: Readonly<Record<string, string>>): string {
  if (model === undefined) return '';
  const options = tuneOptions(model, { sourceBytes: 1000 }, flags);
  const warm = Array.from({ length: options.invocations }, (_, i) => ({
    duration: 50 + (i % 10),
    billed: 60,
  }));
  const measured = options.sizes.slice(0, 2).map((memory) => ({ memory, warm, cold: [300] }));
  const about = { at: 'x', plugin: 'x', function: 'f', asked: 'a', interrupted: false };
  return tuneText(tuneDocument(model, FACTS, options, measured, about));
}

it.each([
  [
    { slo: 'p99=60', invocations: '50' },
    'kept p99 within 60 ms in what was seen: 128 MB;',
    'That is not sure: 662 warm requests are needed (--invocations 662).',
  ],
  [
    { slo: 'p99.99=60' },
    'kept p99.99 within 60 ms in what was seen: 128 MB;',
    'That is not sure: 66,381 warm requests are needed, more than --invocations takes.',
  ],
  [{ slo: 'p99=60' }, 'keeps p99 within 60 ms: 128 MB;', undefined],
])('says of %j what is sure', (flags, kept, unsure) => {
  expect(told(flags)).toContain(`The cheapest that ${kept}`);
  if (unsure === undefined) expect(told(flags)).not.toContain('not sure');
  else expect(told(flags)).toContain(unsure);
});

it('proposes no size that is used to more than 95 %, which the gate would refuse', () => {
  const full = (used: readonly number[], slo?: string): string => {
    if (model === undefined) return '';
    const options = tuneOptions(model, { sourceBytes: 1000 }, { memory: '128,512', ...(slo && { slo }) });
    const warm = Array.from({ length: options.invocations }, () => ({ duration: 10, billed: 10 }));
    const measured = [128, 512].map((memory, i) => ({ memory, warm, cold: [], used: used[i] as number }));
    const about = { at: 'x', plugin: 'x', function: 'f', asked: 'a', interrupted: false };
    return tuneText(tuneDocument(model, FACTS, options, measured, about));
  };
  expect(full([121, 130])).toContain('The cheapest: 128 MB;');
  expect(full([122, 130])).toContain('The cheapest: 512 MB;');
  expect(full([122, 130])).toMatch(/^ +128 MB .* 122 MB +\S+ {2}too full$/m);
  expect(full([122, 487])).toMatch(
    /\nNo size leaves room for a larger request: more than 95 % of each was used\. Raise --memory\.$/,
  );
  expect(full([122, 130], 'p95=5')).toContain(
    'No size with room for a larger request keeps p95 within 5 ms: the fastest, 512 MB, is 5 ms above it.',
  );
  expect(full([122, 130], 'p95=5')).toMatch(/ {2}too slow, too full$/m);
});

it.each([
  [0, 'a role that may write that log;'],
  [1, 'a role that may write that log and read the model’s file in S3;'],
  [2, 'a role that may write that log and read the 2 files of the model in S3;'],
])('says of %i files beyond the zip what may be read', (files, words) => {
  const bill = { dollars: 1, seconds: 60 };
  const given = { sizes: [512], invocations: 50, timeout: 10, files };
  expect(quoteText('f', given, { about: bill, most: bill })).toContain(words);
});

it('says what is measured where something else is declared', () => {
  const deployed = { architecture: 'x86_64', timeout: 10 } as const;
  expect(otherwiseDeployed(deployed, deployed)).toEqual([]);
  expect(otherwiseDeployed({ architecture: 'arm64', timeout: 25 }, deployed)).toEqual([
    'architecture is declared as arm64, and deployed as x86_64: what is deployed is measured.',
    'timeout is declared as 25 s, and deployed as 10 s: what is deployed is measured.',
  ]);
});

it('an instance that is never warm is asked as often as is quoted, and no more', async () => {
  if (model === undefined) return;
  const options = tuneOptions(model, { sourceBytes: 1000 }, { memory: '512' });
  let asked = 0;
  await measureSizes({
    ...{ model, functionName: 'f', sizes: options.sizes, invocations: options.invocations },
    signature: { inputs: [], outputs: [], omitted: [] },
    requests: { from: 'x', all: [{ body: '{}', rows: 1, inputs: [] }] },
    ...{ ended: new AbortController().signal, progress: () => {}, resize: async () => 'ok' as const },
    pause: async () => {},
    invoke: async () => {
      asked += 1;
      return { payload: '{"outputs":[]}', duration: 5, billed: 6, init: 300 };
    },
  });
  const { most } = quoteOf({ ...model, timeout: 1 }, { remote: [] }, options);
  // Each of a second and with a start of ten, beside the stack and three sizes.
  expect(most.seconds).toBe(120 + 3 * 10 + asked * 11);
});

it('says what instances that are kept warm cost at each size, which the price of a request leaves out', () => {
  const [kept] = declaredModels({ churn: { concurrency: { provisioned: 2 } } });
  if (kept === undefined) throw new Error('no model');
  const warm = Array(130).fill({ duration: 50, billed: 50 });
  const measured = [
    { memory: 512, warm, cold: [] },
    { memory: 1024, warm, cold: [] },
    { memory: 128, warm: [], cold: [], failed: 'signal: killed' },
  ];
  const about = { at: 'x', plugin: 'x', function: 'f', asked: 'a', interrupted: false };
  const document = tuneDocument(kept, FACTS, { sizes: [], invocations: 130 }, measured, about);
  // Two of a GB, 30 days: 2 × 2,592,000 × $0.0000041667.
  expect(document.kept).toEqual({
    instances: 2,
    sizes: [
      { memory: 512, month: expect.closeTo(10.8, 1) },
      { memory: 1024, month: expect.closeTo(21.6, 1) },
    ],
  });
  expect(tuneText(document)).toContain(
    '  Beside that, 2 instances that are kept warm cost a month: 512 MB $10.80, 1024 MB $21.60.\n',
  );
  expect(told({})).not.toContain('kept warm');
});
