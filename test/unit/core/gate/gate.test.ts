import { describe, expect, it } from 'vitest';
import type { GateState } from '../../../../core/gate/contract.ts';
import { type GateInput, type GateOutcome, runGate } from '../../../../core/gate/gate.ts';
import { gathered } from '../../../../core/gate/verdict.ts';
import type { Chaos } from '../../../fakes/chaos.ts';
import { type FakeContainer, type FakeHandler, fakeInvoke, fakeReference } from '../../../fakes/gate.ts';
import { virtualTime } from './time.ts';

const tensor = (name: string, datatype: string, data: readonly unknown[]) => ({
  name,
  datatype,
  shape: [data.length],
  data,
});
/** A case whose answer is twice its input. */
const golden = (x: number, y: number | undefined = 2 * x): string =>
  JSON.stringify({
    inputs: [tensor('x', 'FP32', [x])],
    ...(y !== undefined && { outputs: [tensor('y', 'FP32', [y])] }),
  });
const file = (count: number): string => Array.from({ length: count }, (_, i) => golden(i)).join('\n');

type Event = { readonly inputs?: readonly [{ readonly data: readonly number[] }] };
const doubling = (event: unknown): unknown => {
  const { inputs } = event as Event;
  if (inputs === undefined) return { error: '$.inputs must be an array.', code: 'INVALID_REQUEST' };
  return { model_name: 'm', outputs: [tensor('y', 'FP32', [2 * (inputs[0].data[0] ?? 0)])] };
};
const inputOf = (event: unknown): number | undefined => (event as Event).inputs?.[0].data[0];

/** A version of doubling that does something else for some inputs; `{}` is `undefined`. */
const unless =
  (when: (x: number | undefined) => boolean, then: () => unknown): FakeHandler =>
  (event) =>
    when(inputOf(event)) ? then() : doubling(event);
const crash = (errorType: string, message: string) => (): never => {
  throw Object.assign(new Error(message), { name: errorType });
};

/** One instance, as `reserved: 1` gives: Lambda turns a second request away meanwhile. */
function oneAtATime(answer: FakeHandler): { readonly handler: FakeHandler; readonly chaos: Chaos } {
  let isBusy = false;
  return {
    handler: (event) => {
      isBusy = false;
      return answer(event);
    },
    chaos: async (point) => {
      if (point !== 'before invoke') return;
      if (isBusy)
        throw Object.assign(new Error('Rate Exceeded.'), {
          name: 'TooManyRequestsException',
          $metadata: { httpStatusCode: 429 },
        });
      isBusy = true;
    },
  };
}

/** Slices until there is a verdict, as the worker's ticks do. */
async function gate(
  handler: FakeHandler,
  input: Partial<GateInput> & {
    readonly memoryUsed?: number;
    readonly containers?: Readonly<Record<string, FakeContainer>>;
    readonly takes?: number;
    readonly chaos?: Chaos;
    readonly slices?: number;
  } = {},
) {
  const time = virtualTime();
  const { memoryUsed, containers = {}, takes = 10, slices: most = 20, chaos, ...rest } = input;
  const invoke = fakeInvoke(
    {
      '7': async (event) => {
        await time.pause(takes);
        return handler(event);
      },
    },
    { ...time, ...(memoryUsed !== undefined && { memory: memoryUsed }), ...(chaos && { chaos }) },
  );
  const reference = fakeReference(containers);
  const states: GateState[] = [];
  let failures: GateOutcome['failures'] = [];
  for (let state: GateState | undefined; state?.verdict === undefined && states.length < most; ) {
    const outcome: GateOutcome = await time.run(
      runGate(
        { ...time, invoke: invoke.port, reference: reference.port },
        {
          functionName: 'churn',
          version: '7',
          settings: { gate: { tolerance: 1e-4 }, memory: 512 },
          budgetMs: 45_000,
          ...rest,
          state,
        },
      ),
    );
    state = outcome.state;
    states.push(state);
    failures = gathered(failures, outcome.failures);
  }
  return { state: states.at(-1), states, failures, events: invoke.events, asked: reference.asked, time };
}

describe('without any case', () => {
  it('a version is asked whether it starts, also where no gate is declared', async () => {
    const { state, events } = await gate(doubling, { settings: { memory: 512 } });
    expect(events).toEqual([{ version: '7', event: {} }]);
    expect(state).toEqual({
      done: 0,
      count: 0,
      failed: [],
      memory: 100,
      verdict: 'pass',
      reason: 'It starts; 100 of 512 MB.',
    });
  });

  it.each([
    ['Runtime.ImportModuleError', 'Cannot find package', 'crash'],
    ['Sandbox.Timedout', 'RequestId: 12 Error: Task timed out after 10.00 seconds', 'timeout'],
    ['Runtime.ExitError', 'RequestId: 12 Error: Runtime exited with error: signal: killed', 'memory'],
  ])('%s at init fails, with Lambda’s words', async (type, message, kind) => {
    const { state, failures } = await gate(crash(type, message), { casesText: file(3) });
    expect(state).toMatchObject({ verdict: 'fail', done: 0, failed: [] });
    expect(state?.reason).toBe(`It does not start: ${type}: ${message.replace('RequestId: 12 ', '')}`);
    expect(failures).toMatchObject([{ case: 0, kind }]);
  });

  it.each([
    ['takes {} for a request', () => ({ outputs: [] })],
    ['answers what is no object', () => 'hello'],
    ['says that it failed itself', () => ({ error: 'The endpoint failed.', code: 'INTERNAL' })],
  ])('one that %s is no endpoint of a model', async (_, answer) => {
    const { state } = await gate(unless((x) => x === undefined, answer));
    expect(state?.reason).toMatch(/^It does not start: /);
  });

  it('one that does not answer in time fails', async () => {
    const { state } = await gate(doubling, { takes: 900_000 });
    expect(state).toMatchObject({ verdict: 'fail', reason: 'It does not start: none within 45 s' });
  });
});

describe('cases', () => {
  it('all pass', async () => {
    const { state, events } = await gate(doubling, { casesText: file(9) });
    expect(state).toEqual({
      done: 9,
      count: 9,
      failed: [],
      memory: 100,
      verdict: 'pass',
      reason: '9 cases; 100 of 512 MB.',
    });
    expect(events).toHaveLength(10);
  });

  it('fail by number; the values are evidence, and no part of the reason', async () => {
    const { state, failures } = await gate(doubling, {
      casesText: [golden(1), golden(2, 4321), '', golden(3, 6.0001), golden(4, 8765)].join('\n'),
    });
    expect(state).toMatchObject({ verdict: 'fail', done: 4, count: 4, failed: [2, 5] });
    expect(state?.reason).toBe('Cases 2 and 5 of 4 failed.');
    expect(failures).toEqual([
      {
        case: 2,
        kind: 'different',
        differences: [{ at: 'y[0]', expected: '4321', got: '4', difference: -4317 }],
        more: 0,
      },
      {
        case: 5,
        kind: 'different',
        differences: [{ at: 'y[0]', expected: '8765', got: '8', difference: -8757 }],
        more: 0,
      },
    ]);
  });

  it.each([
    [
      'refused',
      () => ({ error: '$.inputs[0] must be …', code: 'WRONG_VALUE' }),
      'WRONG_VALUE: $.inputs[0] must be …',
    ],
    ['crash', crash('RangeError', 'far'), 'RangeError: far'],
    [
      'timeout',
      crash('Sandbox.Timedout', 'Task timed out after 3.00 seconds'),
      'Sandbox.Timedout: Task timed out after 3.00 seconds',
    ],
    ['memory', crash('Runtime.OutOfMemory', 'no more'), 'Runtime.OutOfMemory: no more'],
  ] as const)('that end in %s are failed ones', async (kind, then, got) => {
    const { state, failures } = await gate(
      unless((x) => x === 1, then),
      { casesText: file(3) },
    );
    expect(state).toMatchObject({ verdict: 'fail', failed: [2] });
    expect(failures).toEqual([
      {
        case: 2,
        kind,
        differences: [{ at: 'answer', expected: kind === 'refused' ? 'outputs' : 'an answer', got }],
        more: 0,
      },
    ]);
  });

  it('that are none fail as well', async () => {
    const { state, failures } = await gate(doubling, {
      casesText: `${golden(1)}\n{"inputs": 1}\n${golden(2, undefined)}`,
    });
    expect(state).toMatchObject({ failed: [2] });
    expect(failures[0]).toMatchObject({ case: 2, kind: 'invalid' });
    const bare = JSON.stringify({ inputs: [tensor('x', 'FP32', [1])] });
    expect((await gate(doubling, { casesText: bare })).failures[0]?.differences[0]?.got).toBe(
      'The case has no outputs, and there is no reference.',
    );
  });

  it('a thousand wrong ones end the gate at a hundred, with a reason under 1 KB', async () => {
    const casesText = Array.from({ length: 1000 }, (_, i) => golden(i, -9)).join('\n');
    const { state, failures } = await gate(doubling, { casesText });
    expect(state).toMatchObject({ verdict: 'fail', done: 100, count: 1000 });
    expect(state?.failed).toHaveLength(100);
    expect(state?.reason).toMatch(
      /^Cases 1, 2, .*, 20 and 80 more of 1000 failed; the gate stopped after 100\.$/,
    );
    expect(Buffer.byteLength(state?.reason ?? '')).toBeLessThan(1000);
    expect(failures).toHaveLength(20);
  });

  it('go on where the budget ended, and each is counted once', async () => {
    const { states, events } = await gate(doubling, { casesText: file(40), budgetMs: 2500, takes: 600 });
    expect(states.length).toBeGreaterThan(2);
    expect(states.map(({ done }) => done)).toEqual(states.map(({ done }) => done).toSorted((a, b) => a - b));
    expect(states.at(-1)).toMatchObject({ verdict: 'pass', done: 40 });
    const asked = events.map(({ event }) => inputOf(event)).filter((x) => x !== undefined);
    expect([...new Set(asked)]).toEqual(Array.from({ length: 40 }, (_, i) => i));
  });

  it('one whose answer comes after the rest of a budget gets a whole one', async () => {
    const { states } = await gate(doubling, { casesText: file(8), budgetMs: 5000, takes: 1900 });
    expect(states.map(({ done, verdict }) => [done, verdict])).toEqual([
      [4, undefined],
      [8, 'pass'],
    ]);
  });

  it('one that no budget is enough for fails', async () => {
    const handler: FakeHandler = (event) => (inputOf(event) === 5 ? new Promise(() => {}) : doubling(event));
    const { state, failures } = await gate(handler, { casesText: file(8), slices: 5 });
    expect(state).toMatchObject({ verdict: 'fail', failed: [6], done: 8 });
    expect(failures).toMatchObject([{ case: 6, kind: 'timeout' }]);
  });
});

describe('AWS', () => {
  it('that refuses for now leaves the gate without a verdict, and says why', async () => {
    let refusals = 2;
    const chaos: Chaos = async () => {
      if (refusals-- > 0)
        throw Object.assign(new Error('Rate exceeded'), {
          name: 'TooManyRequestsException',
          $metadata: { httpStatusCode: 429 },
        });
    };
    const { states } = await gate(doubling, { casesText: file(2), chaos });
    expect(states[0]).toMatchObject({ done: 0 });
    expect(states[0]?.verdict).toBeUndefined();
    expect(states[0]?.reason).toBe(
      'Version 7 or its reference cannot be asked: TooManyRequestsException: Rate exceeded',
    );
    expect(states.at(-1)).toMatchObject({ verdict: 'pass', reason: '2 cases; 100 of 512 MB.' });
  });

  it('that may have one instance is asked one case at a time', async () => {
    const { handler, chaos } = oneAtATime(doubling);
    const { state, states } = await gate(handler, { casesText: file(12), chaos, takes: 1000 });
    expect(state).toMatchObject({ verdict: 'pass', done: 12 });
    expect(states).toHaveLength(1);
  });

  it('that refuses for good is a fail', async () => {
    const { states } = await gate(doubling, { version: '8' });
    expect(states).toHaveLength(1);
    expect(states[0]).toMatchObject({
      verdict: 'fail',
      reason: expect.stringContaining('ResourceNotFoundException'),
    });
  });
});

describe('load', () => {
  const settings = { gate: { tolerance: 1e-4, load: { rate: 20, duration: 10 } }, p95: 100, memory: 512 };

  it('within the objective passes, and says so', async () => {
    const { state, events } = await gate(doubling, { casesText: file(3), settings, takes: 40 });
    expect(state).toMatchObject({ verdict: 'pass', load: { sent: 200, errors: 0, p95: 40, duration: 40 } });
    expect(state?.reason).toBe(
      '3 cases; p95 40 ms (Lambda’s own duration 40 ms) at 20/s, objective 100 ms, 0 errors, 0 cold starts; 100 of 512 MB.',
    );
    expect(events).toHaveLength(1 + 3 + 200);
  });

  it('beyond it fails', async () => {
    const { state } = await gate(doubling, { casesText: file(3), settings, takes: 140 });
    expect(state).toMatchObject({ verdict: 'fail', failed: [] });
    expect(state?.reason).toBe(
      'p95 140 ms (Lambda’s own duration 140 ms) at 20/s is above the objective of 100 ms.',
    );
  });

  it('is not run where a case failed', async () => {
    const { state } = await gate(doubling, { casesText: golden(1, 5), settings });
    expect(state?.load).toBeUndefined();
  });

  it('with more than one error in a hundred fails', async () => {
    let count = 0;
    const handler: FakeHandler = (event) =>
      ++count % 40 === 0 ? { error: 'NaN', code: 'NON_FINITE_OUTPUT' } : doubling(event);
    const { state } = await gate(handler, { casesText: file(3), settings });
    expect(state?.reason).toBe('5 of 200 requests at 20/s failed.');
  });

  it('that met too few warm instances is no evidence', async () => {
    const few = { ...settings, gate: { ...settings.gate, load: { rate: 1, duration: 15 } } };
    const { state } = await gate(doubling, { casesText: file(3), settings: few });
    expect(state?.reason).toBe(
      'Only 15 of 15 requests met a warm instance, too few for a 95th percentile: load longer than 15 s.',
    );
  });

  it('waits for a slice that it fits into, and fails where none is', async () => {
    const text = file(160);
    const fits = await gate(doubling, { casesText: text, settings, takes: 80, budgetMs: 22_500 });
    expect(fits.states).toHaveLength(2);
    expect(fits.states[0]).toMatchObject({ done: 160 });
    expect(fits.states[0]?.verdict).toBeUndefined();
    expect(fits.state).toMatchObject({ verdict: 'pass', load: { sent: 200 } });
    const never = await gate(doubling, { casesText: text, settings, budgetMs: 15_000 });
    expect(never.state).toMatchObject({
      verdict: 'fail',
      reason: 'A load of 10 s does not fit into the 15 s that the gate has at a time.',
    });
  });

  it('needs cases to ask with', async () => {
    const { state } = await gate(doubling, { settings });
    expect(state).toMatchObject({ verdict: 'fail', reason: 'The load has no cases to ask with.' });
  });
});

describe('memory', () => {
  it('up to the last twentieth is fine, beyond it is not', async () => {
    expect((await gate(doubling, { casesText: file(2), memoryUsed: 486 })).state?.verdict).toBe('pass');
    const { state } = await gate(doubling, { casesText: file(2), memoryUsed: 487 });
    expect(state).toMatchObject({ verdict: 'fail', memory: 487 });
    expect(state?.reason).toBe(
      'It took 487 of 512 MB, and more than 95 % leaves no room for a larger request: raise memory.',
    );
  });
});

describe('a reference', () => {
  const settings = { gate: { tolerance: 1e-4, reference: 'old' }, memory: 512 };
  const bare = (count: number): string =>
    Array.from({ length: count }, (_, i) =>
      JSON.stringify({ inputs: [{ ...tensor('x', 'FP32', [i]), shape: [1, 1] }] }),
    ).join('\n');
  const rowsOf = (body: string): number[] => (JSON.parse(body).instances ?? JSON.parse(body)).flat();

  it('is asked for what a case does not say', async () => {
    const old: FakeContainer = (_, body) => ({
      contentType: 'application/json',
      body: JSON.stringify({ predictions: rowsOf(body).map((x) => (x === 2 ? 5 : 2 * x)) }),
    });
    const { state, failures, asked } = await gate(doubling, {
      settings,
      casesText: `${bare(4)}\n${golden(9)}`,
      containers: { old },
    });
    expect(asked).toHaveLength(4);
    expect(state).toMatchObject({ verdict: 'fail', failed: [3] });
    expect(failures[0]?.differences).toEqual([{ at: 'y[0]', expected: '5', got: '4', difference: -1 }]);
  });

  it('that takes CSV only is found out once', async () => {
    const old: FakeContainer = (type, body) =>
      type === 'text/csv'
        ? {
            contentType: 'text/csv',
            body: body
              .trim()
              .split('\n')
              .map((x) => 2 * Number(x))
              .join('\n'),
          }
        : { refused: 'Content-type application/json not supported', status: 415 };
    const { state, asked } = await gate(doubling, { settings, casesText: bare(12), containers: { old } });
    expect(state).toMatchObject({ verdict: 'pass', done: 12 });
    expect(asked.slice(-8).map(({ contentType }) => contentType)).toEqual(Array(8).fill('text/csv'));
  });

  it('that refuses everything fails the cases, in its own words', async () => {
    const old: FakeContainer = () => ({ refused: 'model not loaded', status: 500 });
    const { failures } = await gate(doubling, { settings, casesText: bare(1), containers: { old } });
    expect(failures).toMatchObject([
      {
        case: 1,
        kind: 'reference',
        differences: [{ got: 'old answered 500 to application/json: model not loaded' }],
      },
    ]);
  });

  it('that is not there is a fail at once', async () => {
    const { states } = await gate(doubling, { settings, casesText: bare(1) });
    expect(states).toHaveLength(1);
    expect(states[0]?.reason).toBe(
      'Version 7 or its reference cannot be asked: ValidationError: Endpoint old of account 1 not found.',
    );
  });
});

describe('whole numbers beyond 2^53', () => {
  // What Lambda's runtime has read is a double: the endpoint refuses it, and takes the text of a body.
  const identity = (event: unknown): unknown => {
    const { body, inputs } = event as { readonly body?: string; readonly inputs?: unknown };
    if (inputs === undefined) return doubling({});
    if (body === undefined)
      return { error: '$.inputs[0].data[0] is outside the range.', code: 'WRONG_VALUE' };
    const digits = /"data":\[(\d+)\]/.exec(body)?.[1];
    const outputs = `[{"name":"y","datatype":"INT64","shape":[1],"data":[${digits}]}]`;
    return { statusCode: 200, headers: {}, body: `{"outputs":${outputs}}`, isBase64Encoded: false };
  };
  const ids = (expected: string): string =>
    `{"inputs":[{"name":"x","datatype":"INT64","shape":[1],"data":[9007199254740993]}],"outputs":[{"name":"y","datatype":"INT64","shape":[1],"data":[${expected}]}]}`;

  it('are asked with every digit, and compared so', async () => {
    const right = await gate(identity, { casesText: ids('9007199254740993') });
    expect(right.state).toMatchObject({ verdict: 'pass' });
    const wrong = await gate(identity, { casesText: ids('9007199254740992') });
    expect(wrong.state).toMatchObject({ verdict: 'fail', failed: [1] });
    expect(wrong.failures[0]?.differences).toEqual([
      { at: 'y[0]', expected: '9007199254740992', got: '9007199254740993', difference: 1 },
    ]);
  });

  it('of a refusal are the endpoint’s words', async () => {
    const refusing = (event: unknown): unknown =>
      (event as { readonly inputs?: unknown }).inputs === undefined
        ? doubling({})
        : { statusCode: 400, body: '{"error":"$.inputs must not be.","code":"UNKNOWN_INPUT"}' };
    const { failures } = await gate(refusing, { casesText: ids('1') });
    expect(failures[0]).toMatchObject({
      kind: 'refused',
      differences: [{ got: 'UNKNOWN_INPUT: $.inputs must not be.' }],
    });
  });

  it('are loaded so, too', async () => {
    const settings = { gate: { tolerance: 0, load: { rate: 10, duration: 3 } }, memory: 512 };
    const { state } = await gate(identity, { casesText: ids('9007199254740993'), settings });
    expect(state).toMatchObject({ verdict: 'pass', load: { errors: 0 } });
  });
});
