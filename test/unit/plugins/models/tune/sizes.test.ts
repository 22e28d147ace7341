import { describe, expect, it } from 'vitest';
import type { Invoked } from '../../../../../core/ports/aws.ts';
import type { Signature } from '../../../../../core/tensor/contract.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { isProblemError } from '../../../../../plugins/models/problems/errors.ts';
import { tuneDocument } from '../../../../../plugins/models/tune/document.ts';
import { crashWords, measureSizes, type SizesGiven } from '../../../../../plugins/models/tune/sizes.ts';
import { tuneText } from '../../../../../plugins/models/tune/tune-words.ts';

const signature: Signature = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
  omitted: [],
};
const payload = '{"outputs": [{"name": "y", "datatype": "FP32"}]}';
const [churn] = parseModels({ churn: { artifact: 'churn.onnx', timeout: 1, memory: 1769 } }).models;
if (churn === undefined) throw new Error('no model');
const model = churn;

/** A Lambda that answers so at a size; the first request after each change is cold. */
function lambda(at: (memory: number, count: number) => Partial<Invoked> | undefined) {
  const sizes: number[] = [];
  let isCold = true;
  let count = 0;
  const given = (more: Partial<SizesGiven>): SizesGiven => ({
    ...{ model, signature, functionName: 'f', sizes: [512, 1024], invocations: 50 },
    requests: { from: 'made of the signature', all: [{ body: '{}', rows: 1, inputs: [] }] },
    ended: new AbortController().signal,
    progress: () => {},
    pause: async () => {},
    resize: async (memory) => {
      sizes.push(memory);
      isCold = true;
      return 'ok';
    },
    invoke: async () => {
      const memory = sizes.at(-1) ?? 0;
      const init = isCold ? { init: 300 } : {};
      isCold = false;
      const said = at(memory, count++);
      return said && { payload, duration: 5, billed: 5, memory: 90, ...init, ...said };
    },
    ...more,
  });
  return { sizes, run: (more: Partial<SizesGiven> = {}) => measureSizes(given(more)) };
}

describe('sizes', () => {
  it('have three turns each, there and back, and cold starts apart', async () => {
    const { run, sizes } = lambda((memory) => ({
      duration: 10_240 / memory,
      billed: Math.ceil(10_240 / memory),
    }));
    const found = await run();
    expect(sizes).toEqual([512, 1024, 1024, 512, 512, 1024]);
    expect(found).toEqual([
      { memory: 512, warm: Array(50).fill({ duration: 20, billed: 20 }), cold: [300, 300, 300], used: 90 },
      { memory: 1024, warm: Array(50).fill({ duration: 10, billed: 10 }), cold: [300, 300, 300], used: 90 },
    ]);
  });

  it('send whole numbers beyond 2^53 so that Lambda’s runtime leaves them every digit', async () => {
    const body = '{"inputs":[9007199254740993]}';
    const bodies = new Set<unknown>();
    const invoke: SizesGiven['invoke'] = async (_, __, sent) => {
      bodies.add(JSON.parse(sent).body);
      return { payload, duration: 5, billed: 5 };
    };
    const requests = { from: 'of ids.jsonl', all: [{ body, rows: 1, inputs: [] }] } as const;
    await lambda(() => ({})).run({ invoke, requests });
    expect([...bodies]).toEqual([body]);
  });

  it('one crash may happen; a size that crashes again does not run, and the others go on', async () => {
    const crash = {
      crashed: 'Unhandled',
      payload:
        '{"errorMessage": "RequestId: 1 Error: Runtime exited with error: signal: killed", "errorType": "Runtime.ExitError"}',
    };
    const once = await lambda((_, count) => (count === 7 ? crash : {})).run();
    expect(once.map(({ failed, warm }) => [failed, warm.length])).toEqual([
      [undefined, 50],
      [undefined, 50],
    ]);
    const { run, sizes } = lambda((memory) => (memory === 512 ? crash : {}));
    const found = await run();
    expect(found[0]).toMatchObject({
      memory: 512,
      warm: [],
      failed: 'Runtime exited with error: signal: killed',
    });
    expect(found[1]?.warm).toHaveLength(50);
    expect(sizes).toEqual([512, 1024, 1024, 1024]);
  });

  it('an answer that does not come, and a size that Lambda refuses, are reasons, too', async () => {
    const late = await lambda((memory) => (memory === 512 ? undefined : {})).run();
    expect(late[0]?.failed).toBe('no answer came within 31 s');
    const resize: SizesGiven['resize'] = async (memory) =>
      memory > 512 ? { refused: "'MemorySize' value failed to satisfy constraint" } : 'ok';
    const refused = await lambda(() => ({})).run({ resize });
    expect(refused[1]).toEqual({
      memory: 1024,
      warm: [],
      cold: [],
      failed: "'MemorySize' value failed to satisfy constraint",
    });
  });

  it('instances that are always new end it in bounded time', async () => {
    let asked = 0;
    const found = await lambda(() => {
      asked += 1;
      return { init: 300 };
    }).run({ sizes: [512] });
    expect(found[0]?.warm).toEqual([]);
    expect(asked).toBeLessThan(250);
  });

  it('wrong answers end it: they are no question of memory', async () => {
    await expect(lambda(() => ({ payload: '{"outputs": [{"name": "z"}]}' })).run()).rejects.toThrow(
      /^models\.churn: answers wrongly, requests made of the signature, at 512 MB: expected the output y of FP32, got none\. .* \[MODELS_TUNE\]$/,
    );
    await expect(lambda(() => ({ payload: '{"error": "UNKNOWN_INPUT: no x"}' })).run()).rejects.toThrow(
      'UNKNOWN_INPUT',
    );
  });

  it('an interruption cuts a request, and keeps what was measured', async () => {
    const ending = new AbortController();
    const { run } = lambda((_, count) => {
      if (count === 30) ending.abort();
      return {};
    });
    const found = await run({ ended: ending.signal });
    expect(found.map(({ memory, warm }) => [memory, warm.length > 10])).toEqual([
      [512, true],
      [1024, true],
    ]);
    expect(await lambda(() => ({})).run({ ended: AbortSignal.abort() })).toEqual([]);
    const never: SizesGiven['invoke'] = () => new Promise(() => {});
    const cut = new AbortController();
    setTimeout(() => cut.abort(), 20);
    expect(await lambda(() => ({})).run({ ended: cut.signal, invoke: never })).toEqual([]);
  });

  it('a throttled call is made again, for a minute of pauses', async () => {
    const throttled = Object.assign(new Error('Rate Exceeded.'), { $metadata: { httpStatusCode: 429 } });
    let [asked, waited] = [0, 0];
    const given = (most: number): Partial<SizesGiven> => ({
      pause: async (milliseconds) => {
        waited += milliseconds;
      },
      invoke: async () => {
        asked += 1;
        // From the fortieth on, so many times.
        if (asked > 40 && asked <= 40 + most) throw throttled;
        return { payload, duration: 5, billed: 5, memory: 90, ...(asked === 1 && { init: 300 }) };
      },
    });
    const found = await lambda(() => ({})).run(given(5));
    expect(found.map(({ failed, warm }) => [failed, warm.length])).toEqual([
      [undefined, 50],
      [undefined, 50],
    ]);
    [asked, waited] = [0, 0];
    await expect(lambda(() => ({})).run(given(1000))).rejects.toThrow(
      'models.churn: cannot be tuned: Lambda throttled it for a minute: Rate Exceeded. Try again when other functions and deploys of the account are less busy. [MODELS_TUNE]',
    );
    expect(waited / 1000).toBeCloseTo(60, -1);
    const ending = new AbortController();
    const cut = await lambda(() => ({})).run({
      ...given(1000),
      pause: async () => ending.abort(),
      ended: ending.signal,
    });
    expect(cut).toEqual([]);
    // Another size is no other thing.
    let resized = 0;
    const resize: SizesGiven['resize'] = async () => {
      resized += 1;
      if (resized < 4) throw throttled;
      return 'ok';
    };
    expect((await lambda(() => ({})).run({ resize }))[1]?.warm).toHaveLength(50);
  });

  it('what AWS refuses is thrown as it is', async () => {
    const denied = Object.assign(new Error('no lambda:InvokeFunction'), { name: 'AccessDeniedException' });
    const caught = await lambda(() => ({}))
      .run({ invoke: async () => Promise.reject(denied) })
      .catch((error: unknown) => error);
    expect([caught, isProblemError(caught)]).toEqual([denied, false]);
  });
});

it('a crash is told in Lambda’s words, without what nobody needs', () => {
  const said = (errorMessage: string): string => crashWords(JSON.stringify({ errorMessage }));
  expect(
    said('2026-11-27T17:00:00.000Z 5f2b8c1e-0000-4000-8000-000000000000 Task timed out after 10.00 seconds'),
  ).toBe('Task timed out after 10.00 seconds');
  expect(said('RequestId: 5f2b Error: Runtime exited with error: signal: killed')).toBe(
    'Runtime exited with error: signal: killed',
  );
  expect(crashWords('<html>')).toBe('<html>');
  expect(crashWords('{}')).toBe('it crashed');
});

describe('what is printed', () => {
  const facts = { remote: [] } as unknown as Parameters<typeof tuneDocument>[1];
  const warm = (duration: number) => Array(130).fill({ duration, billed: Math.ceil(duration) });
  const measured = [
    { memory: 128, warm: [], cold: [], failed: 'signal: killed' },
    { memory: 512, warm: warm(80), cold: [900], used: 101 },
    { memory: 1024, warm: warm(38), cold: [500], used: 103 },
    { memory: 1769, warm: warm(23), cold: [300], used: 103 },
  ];
  const text = (limit: number | undefined, more: object = {}): string => {
    const objective = limit === undefined ? {} : { objective: { percentile: 0.95, ms: limit } };
    const about = {
      at: '2026-11-27T17:00:00Z',
      plugin: '0.1.0',
      function: 'shop-dev-models-tune-churn',
      asked: 'requests made of the signature',
      interrupted: false,
      ...more,
    };
    return tuneText(
      tuneDocument(model, facts, { sizes: [], invocations: 130, ...objective }, measured, about),
    );
  };

  it('is a table and the line to write', () => {
    expect(text(50)).toBe(
      [
        'churn as shop-dev-models-tune-churn, x86_64, 130 warm requests at each size, requests made of the signature',
        '    memory    p50    p95  p95, 99 % sure  billed p50  billed p95    INIT    used  $ a million',
        '    128 MB  does not run: signal: killed',
        '    512 MB  80 ms  80 ms         ≤ 80 ms       80 ms       80 ms  900 ms  101 MB         0.87  too slow',
        '   1024 MB  38 ms  38 ms         ≤ 38 ms       38 ms       38 ms  500 ms  103 MB         0.83',
        '   1769 MB  23 ms  23 ms         ≤ 23 ms       23 ms       23 ms  300 ms  103 MB         0.86',
        '  Dollars are Lambda’s list prices of us-east-1, 2025, for warm requests alone: no INIT, HTTP or logs.',
        'The cheapest that keeps p95 within 50 ms: 1024 MB; it has 1769 MB. To take it, write:',
        '',
        'models:',
        '  churn:',
        '    memory: 1024',
        '',
        'For 3 % more, 1769 MB are 39 % faster in p95.',
      ].join('\n'),
    );
  });

  it('says what the fastest lacks where none is fast enough, and nothing after an interruption', () => {
    expect(text(20)).toContain(
      'No size keeps p95 within 20 ms: the fastest, 1769 MB, is 3 ms above it. Try a larger --memory',
    );
    expect(text(30)).toContain('The cheapest that keeps p95 within 30 ms is what it has already: 1769 MB.');
    expect(text(undefined)).toContain('The cheapest: 1024 MB; it has 1769 MB.');
    expect(text(50, { interrupted: true })).toMatch(/\nIt was interrupted, so nothing is proposed\.$/);
  });
});
