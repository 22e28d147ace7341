/** Labelled rows, asked of a version and of the live one. */
import { describe, expect, it } from 'vitest';
import type { GateState } from '../../../../core/gate/contract.ts';
import { type GateOutcome, runGate } from '../../../../core/gate/gate.ts';
import { printLabelled } from '../../../../core/gate/labelled.ts';
import { measureRows } from '../../../../core/gate/metric.ts';
import type { LiveVersion, MetricSettings, RowScores } from '../../../../core/quality/contract.ts';
import type { Chaos } from '../../../fakes/chaos.ts';
import { type FakeHandler, fakeInvoke, fakeReference } from '../../../fakes/gate.ts';
import { virtualTime } from './time.ts';

const ROWS = 64;
/** Row i has the inputs i and −i, and is of class i mod 2. */
function file(rows: number, at = ROWS): string {
  const lines: string[] = [];
  for (let from = 0; from < rows; from += at) {
    const numbers = Array.from({ length: Math.min(at, rows - from) }, (_, i) => from + i);
    const data = numbers.flatMap((i) => [i, -i]);
    lines.push(
      printLabelled({
        first: from + 1,
        labels: numbers.map((i) => i % 2),
        inputs: [{ name: 'x', datatype: 'FP32', shape: [numbers.length, 2], data }],
      }),
    );
  }
  return `${lines.join('\n')}\n`;
}

type Event = {
  readonly inputs?: readonly [{ readonly shape: readonly number[]; readonly data: readonly number[] }];
  readonly outputs?: readonly { readonly name: string }[];
};
const numbersOf = ({ inputs }: Event): readonly number[] =>
  inputs?.[0].data.filter((_, i) => i % 2 === 0) ?? [];

/** A version that answers a class a row. */
const answering =
  (classOf: (row: number) => unknown): FakeHandler =>
  (event) => {
    const asked = event as Event;
    if (asked.inputs === undefined) return { error: 'No inputs.', code: 'INVALID_REQUEST' };
    const data = numbersOf(asked).map(classOf);
    const refused = data.find((one) => typeof one === 'string');
    if (refused !== undefined) return { error: refused, code: 'WRONG_VALUE' };
    return { outputs: [{ name: 'label', datatype: 'INT64', shape: [data.length], data }] };
  };
const right = answering((row) => row % 2);
/** Wrong in every n-th row. */
const wrongEach = (n: number): FakeHandler => answering((row) => (row % n === 0 ? 1 - (row % 2) : row % 2));

async function gate(
  handlers: Readonly<Record<string, FakeHandler>>,
  {
    rows = 640,
    at,
    live,
    takes = 10,
    budgetMs = 45_000,
    lose = false,
    chaos,
    slices = 40,
    ...settings
  }: Partial<MetricSettings> & {
    readonly rows?: number;
    readonly at?: number;
    readonly live?: LiveVersion;
    readonly takes?: number;
    readonly budgetMs?: number;
    /** What the slices before found is lost. */
    readonly lose?: boolean;
    readonly chaos?: Chaos;
    readonly slices?: number;
  } = {},
) {
  const time = virtualTime();
  let out = 0;
  let most = 0;
  const slow =
    (handler: FakeHandler): FakeHandler =>
    async (event) => {
      most = Math.max(most, ++out);
      await time.pause(takes);
      out -= 1;
      return handler(event);
    };
  const invoke = fakeInvoke(
    Object.fromEntries(Object.entries(handlers).map(([version, handler]) => [version, slow(handler)])),
    { ...time, ...(chaos && { chaos }) },
  );
  const text = file(rows, at);
  const metric: MetricSettings = {
    cases: { sha256: 'a', bytes: text.length, rows, requests: Math.ceil(rows / (at ?? ROWS)) },
    name: 'accuracy',
    output: 'label',
    ...settings,
  };
  let state: GateState | undefined;
  let scores: RowScores | undefined;
  const outcomes: GateOutcome[] = [];
  for (; state?.verdict === undefined && outcomes.length < slices; ) {
    const outcome: GateOutcome = await time.run(
      runGate(
        { ...time, invoke: invoke.port, reference: fakeReference({}).port },
        {
          functionName: 'churn',
          version: '7',
          settings: { gate: { tolerance: 0, metric }, memory: 512 },
          budgetMs,
          state,
          metric: { text, live, scores: lose ? undefined : scores },
        },
      ),
    );
    outcomes.push(outcome);
    ({ state, scores } = outcome);
  }
  const asked = (version: string) =>
    invoke.events.filter((one) => one.version === version && (one.event as Event).inputs !== undefined);
  return { state, scores, outcomes, asked, failures: outcomes.flatMap(({ failures }) => failures), most };
}

const LIVE: LiveVersion = { version: '6' };

describe('a version', () => {
  it('that is good enough passes, with the number', async () => {
    const { state, asked, scores } = await gate({ 7: wrongEach(20) }, { min: 0.9 });
    expect(state).toMatchObject({
      verdict: 'pass',
      metric: { name: 'accuracy', rows: 640, done: 640, refused: [], result: { verdict: 'pass' } },
    });
    expect(state?.reason).toBe(
      'It starts; accuracy 0.95 (95 % interval 0.9303 to 0.9644) on 640 rows; it keeps to min 0.9; 100 of 512 MB.',
    );
    expect(asked('7')).toHaveLength(10);
    expect(asked('7')[0]?.event).toMatchObject({ outputs: [{ name: 'label' }] });
    expect(scores?.own).toHaveLength(640);
    expect(scores?.own.slice(0, 21)).toEqual([0, ...Array(19).fill(1), 0]);
  });

  it('that is not good enough fails, before any load', async () => {
    const { state } = await gate({ 7: wrongEach(3) }, { min: 0.9 });
    expect(state).toMatchObject({ verdict: 'fail', metric: { result: { verdict: 'fail' } } });
    expect(state?.reason).toMatch(/^accuracy 0\.6656 .*; all of the interval is beyond min 0\.9\.$/);
  });

  it('of which these rows cannot tell does not pass, unless it may', async () => {
    const { state } = await gate({ 7: wrongEach(10) }, { min: 0.89 });
    expect(state).toMatchObject({ verdict: 'fail', metric: { result: { verdict: 'nodata' } } });
    expect(state?.reason).toMatch(/so these rows cannot decide; some \d+0 rows would, if the value stays\.$/);
    const allowed = await gate({ 7: wrongEach(10) }, { min: 0.89, onNoData: 'pass' });
    expect(allowed.state).toMatchObject({ verdict: 'pass', metric: { result: { verdict: 'nodata' } } });
    // What is surely too bad does not.
    const bad = await gate({ 7: wrongEach(3) }, { min: 0.89, onNoData: 'pass' });
    expect(bad.state?.verdict).toBe('fail');
  });

  it('is asked four requests at a time', async () => {
    expect((await gate({ 7: right }, { min: 0.5 })).most).toBe(4);
    const both = await gate({ 7: right, 6: right }, { worseThanLive: 0.1, live: LIVE });
    expect(both.most).toBe(4);
  });
});

it('a gate whose labelled rows are not given does not pass', async () => {
  const clock = virtualTime();
  const cases = { sha256: 'a', bytes: 1, rows: 640, requests: 10 };
  const metric: MetricSettings = { cases, name: 'accuracy', output: 'label', min: 0.5 };
  const { state } = await clock.run(
    runGate(
      { ...clock, invoke: fakeInvoke({ 7: right }, clock).port, reference: fakeReference({}).port },
      {
        functionName: 'churn',
        version: '7',
        settings: { gate: { tolerance: 0, metric }, memory: 512 },
        budgetMs: 45_000,
        state: undefined,
      },
    ),
  );
  expect(state).toMatchObject({
    verdict: 'fail',
    reason: 'There are no labelled rows to measure accuracy with.',
  });
});

describe('rows that get no prediction', () => {
  it('are found one by one, and told by number', async () => {
    const bad = [5, 200, 201];
    const handler = answering((row) =>
      bad.includes(row) ? '$.inputs[0].data[0] is out of range.' : row % 2,
    );
    const { state, failures, asked } = await gate({ 7: handler }, { min: 0.5 });
    expect(state).toMatchObject({ verdict: 'fail', metric: { refused: [6, 201, 202], done: 640 } });
    expect(state?.reason).toBe('Rows 6, 201 and 202 of the 640 labelled rows got no prediction.');
    expect(failures).toMatchObject(
      [6, 201, 202].map((row) => ({ case: row, of: 'metric', kind: 'refused' })),
    );
    expect(failures[0]?.differences[0]?.got).toBe('WRONG_VALUE: $.inputs[0].data[0] is out of range.');
    // By halves: 2 · log₂ 64 requests more for each of the two that refused, at most.
    expect(asked('7').length).toBeLessThan(10 + 2 * 2 * 7);
  });

  it('end it after twenty, whatever the others are', async () => {
    const { state, asked } = await gate({ 7: answering(() => 'No.') }, { min: 0.5, rows: 6400 });
    expect(state?.metric?.refused.length).toBeGreaterThanOrEqual(20);
    expect(state?.metric?.refused.length).toBeLessThan(24);
    expect(asked('7').length).toBeLessThan(150);
    // None is told that was not asked alone.
    const alone = asked('7').flatMap(({ event }) => {
      const numbers = numbersOf(event as Event);
      return numbers.length === 1 ? numbers.map((row) => row + 1) : [];
    });
    expect(alone).toEqual(expect.arrayContaining([...(state?.metric?.refused ?? [])]));
  });

  it.each([
    ['NaN, which JSON has as null', answering((row) => (row === 70 ? null : row % 2)), [71]],
    ['no such output', () => ({ outputs: [] }), [1]],
    [
      'fewer answers than rows',
      () => ({ outputs: [{ name: 'label', datatype: 'INT64', shape: [3], data: [1, 2, 3] }] }),
      [1],
    ],
  ] as const)('%s', async (what, handler, rows) => {
    const starts: FakeHandler = (event) =>
      (event as Event).inputs === undefined ? right(event) : (handler as FakeHandler)(event);
    const name = what.startsWith('NaN') ? 'mae' : 'accuracy';
    const { state } = await gate({ 7: starts }, { name, ...(name === 'mae' ? { max: 9 } : { min: 0.5 }) });
    expect(state?.verdict).toBe('fail');
    expect(state?.metric?.refused).toEqual(expect.arrayContaining([...rows]));
  });

  it('are fewer at once where so many take longer than the function may', async () => {
    const most =
      (rows: number): FakeHandler =>
      (event) => {
        if (numbersOf(event as Event).length <= rows) return right(event);
        throw Object.assign(new Error('Task timed out after 10.00 seconds'), { name: 'Sandbox.Timedout' });
      };
    const settings = { min: 0.5, worseThanLive: 0.01, live: LIVE };
    const { state, failures, asked } = await gate({ 7: most(20), 6: most(63) }, settings);
    expect(state).toMatchObject({ verdict: 'pass', metric: { refused: [], result: { live: { value: 1 } } } });
    expect(failures).toEqual([]);
    // Two lines of 64 are asked at once; then nobody asks so many again: 40 of 16, and what took too long.
    expect(asked('7').length).toBeLessThan(40 + 2 * 3 + 2);
    expect(asked('6').length).toBeLessThan(20 + 2 + 2);
    const never = await gate({ 7: most(0) }, { min: 0.5 });
    expect(never.state?.verdict).toBe('fail');
    expect(never.failures[0]).toMatchObject({ case: 1, of: 'metric', kind: 'timeout' });
  });

  it('a crash is not asked again by halves', async () => {
    const crashes: FakeHandler = (event) => {
      if (numbersOf(event as Event).includes(3))
        throw Object.assign(new Error('signal: killed'), { name: 'Runtime.ExitError' });
      return right(event);
    };
    const { state, failures, asked } = await gate({ 7: crashes }, { min: 0.5 });
    expect(state).toMatchObject({ verdict: 'fail', metric: { refused: [1] } });
    expect(failures).toMatchObject([{ case: 1, of: 'metric', kind: 'memory' }]);
    expect(asked('7')).toHaveLength(10);
  });
});

it('a crash of the version itself is told by number, and its words are in the evidence only', async () => {
  const crashes: FakeHandler = (event) => {
    if (numbersOf(event as Event).includes(3)) throw new Error('bad age 41');
    return right(event);
  };
  const { state, failures } = await gate({ 7: crashes }, { min: 0.5 });
  expect(state?.reason).toBe('Row 1 of the 640 labelled rows got no prediction.');
  expect(JSON.stringify(state)).not.toContain('41');
  expect(failures[0]?.differences[0]?.got).toBe('Error: bad age 41');
});

describe('the live version', () => {
  it('is asked the same rows, and both numbers are told', async () => {
    const { state, asked, scores } = await gate(
      { 7: wrongEach(20), 6: wrongEach(10) },
      { min: 0.9, worseThanLive: 0.01, live: LIVE },
    );
    expect(state?.metric?.result).toMatchObject({
      verdict: 'pass',
      live: { version: '6', value: 0.9, verdict: 'pass', margin: 0.01 },
    });
    expect(state?.metric?.result?.live?.difference?.value).toBeCloseTo(0.05, 12);
    expect(asked('6').map(({ event }) => event)).toEqual(asked('7').map(({ event }) => event));
    expect(scores?.live).toMatchObject({ version: '6' });
    expect(scores?.live?.scores).toHaveLength(640);
  });

  it('that is better refuses a worse one, whatever the floor', async () => {
    const { state } = await gate(
      { 7: wrongEach(5), 6: right },
      { min: 0.5, worseThanLive: 0.01, live: LIVE },
    );
    expect(state?.verdict).toBe('fail');
    expect(state?.reason).toMatch(
      /live version 6 has 1, difference -0\.2 \(.*\), worse by more than 0\.01\.$/,
    );
  });

  it('is not asked where nothing is to be compared, or nothing is live', async () => {
    expect((await gate({ 7: right, 6: right }, { min: 0.5, live: LIVE })).asked('6')).toEqual([]);
    const first = await gate({ 7: right }, { worseThanLive: 0.01 });
    expect(first.state).toMatchObject({ verdict: 'pass' });
    expect(first.state?.reason).toContain('there is no live version to compare with');
  });

  it.each([
    ['refuses a row', answering((row) => (row === 100 ? 'Too large.' : row % 2)), 'it refuses row 101'],
    [
      'has no such output',
      () => ({ outputs: [{ name: 'other', datatype: 'INT64', shape: [1], data: [1] }] }),
      'it gives no prediction for row 1',
    ],
    [
      'crashes',
      () => {
        throw new Error('bad age 41');
      },
      'it crashes at row 1',
    ],
    [
      'is killed',
      () => {
        throw Object.assign(new Error('signal: killed at 41'), { name: 'Runtime.ExitError' });
      },
      'it runs out of memory at row 1',
    ],
  ] as const)('that %s cannot be compared, and the version is not at fault', async (_, handler, why) => {
    const { state, failures } = await gate(
      { 7: right, 6: handler as FakeHandler },
      { min: 0.5, worseThanLive: 0.01, live: LIVE },
    );
    expect(failures).toEqual([]);
    expect(state).toMatchObject({
      verdict: 'fail',
      metric: { refused: [], done: 640, result: { verdict: 'nodata', limit: { verdict: 'pass' } } },
    });
    // The words of the version are left out: it may hold values of the row.
    expect(state?.metric?.liveFault).toBe(why);
    expect(state?.reason).toMatch(new RegExp(`the live version 6 cannot be compared: ${why}\\.$`));
    expect(JSON.stringify(state)).not.toMatch(/41|Too large/);
  });

  it('that is gone cannot be compared either', async () => {
    const { state } = await gate({ 7: right }, { min: 0.5, worseThanLive: 0.01, live: LIVE });
    expect(state?.reason).toMatch(/the live version 6 cannot be compared: ResourceNotFoundException\.$/);
  });
});

describe('slices', () => {
  const slow = { takes: 4000, budgetMs: 10_000, rows: 1280, min: 0.9 };

  it('go on where the one before ended, and come to the same', async () => {
    const at = await gate(
      { 7: wrongEach(20), 6: wrongEach(10) },
      { ...slow, worseThanLive: 0.02, live: LIVE },
    );
    const once = await gate(
      { 7: wrongEach(20), 6: wrongEach(10) },
      { rows: 1280, min: 0.9, worseThanLive: 0.02, live: LIVE },
    );
    expect(at.outcomes.length).toBeGreaterThan(3);
    expect(once.outcomes).toHaveLength(1);
    expect(at.state).toEqual(once.state);
    expect(at.scores).toEqual(once.scores);
    expect(at.outcomes[0]?.state.metric).toMatchObject({ rows: 1280, refused: [] });
    expect(at.outcomes[0]?.state.metric?.result).toBeUndefined();
  });

  it('that AWS throttles keep what they have', async () => {
    let calls = 0;
    const throttled = async () => {
      if (++calls % 9 !== 0) return;
      const error = { name: 'TooManyRequestsException', $metadata: { httpStatusCode: 429 } };
      throw Object.assign(new Error('Rate exceeded'), error);
    };
    const { state, outcomes, scores, asked } = await gate(
      { 7: wrongEach(20), 6: wrongEach(10) },
      { rows: 1280, min: 0.9, worseThanLive: 0.02, live: LIVE, chaos: throttled },
    );
    expect(outcomes.length).toBeGreaterThan(3);
    expect(outcomes[0]?.state.reason).toContain('TooManyRequestsException');
    expect(state).toMatchObject({ verdict: 'pass', metric: { done: 1280 } });
    expect(scores?.own).toHaveLength(1280);
    // Only what was asked beside the refused one is asked again.
    expect(asked('7').length).toBeLessThan(20 + 2 * outcomes.length);
  });

  it('of a function that may have one instance are asked one request at a time', async () => {
    let isBusy = false;
    const chaos: Chaos = async (point) => {
      if (point !== 'before invoke') return;
      const error = { name: 'TooManyRequestsException', $metadata: { httpStatusCode: 429 } };
      if (isBusy) throw Object.assign(new Error('Rate Exceeded.'), error);
      isBusy = true;
    };
    const freeing =
      (handler: FakeHandler): FakeHandler =>
      (event) => {
        isBusy = false;
        return handler(event);
      };
    const { state, outcomes } = await gate(
      { 7: freeing(wrongEach(20)), 6: freeing(wrongEach(10)) },
      { min: 0.9, worseThanLive: 0.05, live: LIVE, chaos, takes: 1000 },
    );
    expect(state).toMatchObject({
      verdict: 'pass',
      metric: { done: 640, result: { live: { version: '6' } } },
    });
    expect(outcomes).toHaveLength(1);
  });

  it('whose scores are lost begin anew, rather than leave rows out', async () => {
    const { outcomes, state } = await gate({ 7: wrongEach(20) }, { ...slow, lose: true, slices: 6 });
    expect(state?.verdict).toBeUndefined();
    expect(new Set(outcomes.map((one) => one.state.metric?.done))).toEqual(
      new Set([outcomes[0]?.state.metric?.done]),
    );
  });

  /** One slice more, from what the ones before left. */
  async function goOn(
    handlers: Readonly<Record<string, FakeHandler>>,
    state: GateState | undefined,
    scores: RowScores | undefined,
    live: LiveVersion,
  ): Promise<GateOutcome> {
    const clock = virtualTime();
    const metric: MetricSettings = {
      cases: { sha256: 'a', bytes: 1, rows: 1280, requests: 20 },
      name: 'accuracy',
      output: 'label',
      worseThanLive: 0.02,
    };
    return clock.run(
      runGate(
        { ...clock, invoke: fakeInvoke(handlers, clock).port, reference: fakeReference({}).port },
        {
          functionName: 'churn',
          version: '7',
          settings: { gate: { tolerance: 0, metric }, memory: 512 },
          budgetMs: 45_000,
          state,
          metric: { text: file(1280), live, scores },
        },
      ),
    );
  }

  it('ask anew where another version is live by now', async () => {
    const first = await gate({ 7: right, 6: right }, { ...slow, worseThanLive: 0.02, live: LIVE, slices: 1 });
    expect(first.scores?.live?.version).toBe('6');
    const { state, scores } = await goOn({ 7: right, 5: wrongEach(2) }, first.state, first.scores, {
      version: '5',
    });
    expect(scores?.live).toMatchObject({ version: '5' });
    expect(scores?.live?.scores).toHaveLength(1280);
    expect(state.metric?.result?.live?.value).toBe(0.5);
  });

  it('compare with what is live by now, though the one before could not be asked', async () => {
    const gone = answering((row) => (row < 64 ? 'No.' : row % 2));
    const first = await gate({ 7: right, 6: gone }, { ...slow, worseThanLive: 0.02, live: LIVE, slices: 2 });
    expect(first.state?.metric?.liveFault).toBe('it refuses row 1');
    const { state } = await goOn({ 7: right, 5: right }, first.state, first.scores, { version: '5' });
    expect(state.metric).not.toHaveProperty('liveFault');
    expect(state.metric?.result).toMatchObject({ verdict: 'pass', live: { version: '5', value: 1 } });
  });

  it.each([
    ['without scores', undefined],
    ['with those beside another version', { own: Array(64).fill(1), live: { version: '4', scores: [] } }],
  ] as const)('that begin anew %s forget which rows were refused', async (_, scores) => {
    const clock = virtualTime();
    const { port } = fakeInvoke({ 7: answering((row) => (row === 70 ? 'No.' : row % 2)) }, clock);
    const asking = { invoke: port, reference: fakeReference({}).port, functionName: 'churn', version: '7' };
    const settings = {
      cases: { sha256: 'a', bytes: 1, rows: 128, requests: 2 },
      name: 'accuracy',
      output: 'label',
    } as const;
    const part = await clock.run(
      measureRows(
        () => ({ ...asking, patience: 9000 }),
        settings,
        { text: file(128), scores },
        { name: 'accuracy', rows: 128, done: 64, refused: [3] },
        () => true,
        () => false,
      ),
    );
    expect(part.state).toMatchObject({ done: 128, refused: [71] });
  });

  it.each([
    [
      'rows of the live version are missing',
      { own: Array(256).fill(1), live: { version: '6', scores: Array(64).fill(0) } },
    ],
    [
      'some have no score',
      { own: [...Array(255).fill(1), null], live: { version: '6', scores: Array(256).fill(0) } },
    ],
  ] as const)('ask anew where the scores are ahead of the state: %s', async (_, ahead) => {
    const { state, scores } = await goOn({ 7: right, 6: right }, undefined, ahead as RowScores, LIVE);
    expect(scores?.own).toEqual(Array(1280).fill(1));
    expect(scores?.live?.scores).toEqual(Array(1280).fill(1));
    expect(state.metric?.result).toMatchObject({ verdict: 'pass', live: { value: 1 } });
  });

  it('a version that never answers fails', async () => {
    const never: FakeHandler = (event) =>
      (event as Event).inputs === undefined ? right(event) : new Promise(() => {});
    const { state, failures } = await gate({ 7: never }, { min: 0.5, takes: 0 });
    expect(state?.verdict).toBe('fail');
    expect(failures[0]).toMatchObject({ of: 'metric', kind: 'timeout' });
  });
});
