import { beforeEach, describe, expect, it } from 'vitest';
import { trueQuantile } from '../../../../../bench/capacity/queues.ts';
import type { Invoked, InvokePort } from '../../../../../core/ports/aws.ts';
import type { Signature } from '../../../../../core/tensor/contract.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { type MeasureGiven, measure } from '../../../../../plugins/models/measure/measure.ts';
import type { BenchOptions } from '../../../../../plugins/models/measure/options.ts';
import type { BenchRequest, BenchRequests } from '../../../../../plugins/models/measure/requests.ts';
import { virtualTime } from '../../../core/gate/time.ts';

/** Milliseconds that one request takes; they wait for each other. */
const SERVICE = 20;
const signature: Signature = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
  omitted: [],
};
const answer: Invoked = { payload: '{"outputs": [{"name": "y", "datatype": "FP32"}]}', duration: SERVICE };

/** @param cut a person interrupts at this request */
function measured(
  options: Partial<BenchOptions>,
  cut = Number.POSITIVE_INFINITY,
  answered = answer,
  { invoked, requests }: { requests?: BenchRequests['all']; invoked?: (body: string) => void } = {},
) {
  const ending = new AbortController();
  let asked = 0;
  const time = virtualTime();
  const [model] = parseModels({ churn: { artifact: 'churn.onnx' } }).models;
  if (model === undefined) throw new Error('no model');
  let free = 0;
  const invoke: InvokePort['invoke'] = async (_, __, body) => {
    asked += 1;
    invoked?.(body);
    if (asked === cut) ending.abort();
    free = Math.max(free, time.clock()) + SERVICE;
    await time.pause(free - time.clock());
    return answered;
  };
  const given: MeasureGiven = {
    ...{ model, signature, timing: time },
    target: { kind: 'here', name: 'a queue', functionName: 'f', version: '1', invoke: { invoke } },
    requests: { from: 'made of the signature', all: requests ?? [{ body: '{}', rows: 1, inputs: [] }] },
    options: {
      ...{ scenarios: ['Server'], seconds: 100, strict: false, runs: 5, seed: 1, outstanding: 1000 },
      ...{ arrivals: 'poisson', curve: false },
      ...options,
    },
    ended: ending.signal,
    progress: () => {},
    notice: (text) => notices.push(text),
  };
  return time.run(measure(given));
}

const notices: string[] = [];
beforeEach(() => {
  notices.length = 0;
});

it('one caller sees the service time, and Server begins at half of what that caller reaches', async () => {
  const { scenarios } = await measured({ scenarios: ['SingleStream', 'Server'], seconds: 30 });
  const [single, server] = scenarios;
  expect(single).toMatchObject({ verdict: 'VALID', samples: 50, mean: SERVICE, duration: SERVICE });
  expect(server?.rate).toBe(25);
});

it('an answer has the bytes that Lambda’s limit is about, also where its letters have several', async () => {
  const payload = '{"outputs": [{"name": "y", "datatype": "FP32", "parameters": {"label": "日本語"}}]}';
  const { scenarios } = await measured({ seconds: 10 }, undefined, { ...answer, payload });
  expect(scenarios[0]?.bytes).toBe(Buffer.byteLength(payload));
  expect(scenarios[0]?.ceilings.find(({ name }) => name === 'answer')?.used).toBe(
    Buffer.byteLength(payload) / 1024,
  );
});

it('a curve finds a capacity that the queue’s theory confirms', async () => {
  const objective = { percentile: 0.9, ms: 100 };
  const { curve, scenarios } = await measured({ rate: 25, curve: true, objective });
  expect(scenarios[0]).toMatchObject({ verdict: 'VALID', promised: { upper: expect.any(Number) } });
  const capacity = curve?.capacity ?? 0;
  const truth = (rate: number): number =>
    SERVICE * trueQuantile({ load: (rate * SERVICE) / 1000, service: 'fixed' }, 0.9, 1);
  // What is promised holds, and a fifth more would not be kept.
  expect(truth(capacity)).toBeLessThan(objective.ms);
  expect(truth(1.2 * capacity)).toBeGreaterThan(objective.ms);
  expect(curve?.atCapacity?.samples).toBeCloseTo(capacity, -1);
});

it('an interruption in the middle of a curve keeps the rates that were measured to their end', async () => {
  // 10 s at 25 a second, then at 12.5, then it is cut at 17.7 a second.
  const { curve, interrupted, scenarios } = await measured({ rate: 25, seconds: 10, curve: true }, 480);
  expect(interrupted).toBe(true);
  expect(scenarios[0]?.requests).toBeGreaterThan(200);
  expect(curve?.points.map(({ rate }) => rate)).toEqual([12.5]);
});

/** @param bytes of each of its values, in JSON */
function request(rows: number, values = 1, bytes = 4): BenchRequest {
  const data = Array(rows * values).fill(Number(`0.${'5'.repeat(bytes - 3)}`));
  const inputs = [{ name: 'x', datatype: 'FP32', shape: [rows, values], data }];
  return { body: JSON.stringify({ inputs }), rows, inputs };
}

describe('Offline', () => {
  const offline = { scenarios: ['Offline' as const], seconds: 10 };

  it('sends as many rows as Lambda takes where the usual number is more than that', async () => {
    const asked: string[] = [];
    // Half a megabyte each: 64 of them are 32 MB.
    const all: BenchRequests['all'] = [request(1, 128 * 1024)];
    const { scenarios } = await measured(offline, undefined, answer, {
      requests: all,
      invoked: (body) => asked.push(body),
    });
    expect(notices).toEqual([
      'models.churn: 64 rows are more than the 6 MB that Lambda takes of a request. Offline sends 11 at a time.',
    ]);
    expect(Math.max(...asked.map(({ length }) => length))).toBeLessThan(6 * 1024 ** 2);
    expect(scenarios[0]).toMatchObject({ scenario: 'Offline', samples: expect.closeTo(11 * 50, -1) });
    // Its own requests are what is near the limit.
    const ceiling = scenarios[0]?.ceilings.find(({ name }) => name === 'request');
    expect((ceiling?.used ?? 0) / (ceiling?.limit ?? 1)).toBeGreaterThan(0.9);
  });

  it('refuses rows that a person wants and Lambda does not take before anything is measured', async () => {
    let asked = 0;
    const given = { requests: [request(1, 128 * 1024)] as const, invoked: () => (asked += 1) };
    await expect(measured({ ...offline, rows: 1_000_000 }, undefined, answer, given)).rejects.toThrow(
      '--rows: 1000000 rows make a request of more than the 6 MB that Lambda takes. Write 11 or less. [MODELS_USAGE]',
    );
    expect(asked).toBe(0);
    // A short request says little of how many rows fit.
    const short = await measured({ ...offline, seconds: 1, rows: 300_000 }, undefined, answer, {
      requests: [request(1)],
    });
    expect(short.scenarios[0]?.samples).toBeCloseTo(300_000 * 50, -7);
  });

  it('counts the rows of requests that have different numbers of them', async () => {
    const { scenarios } = await measured({ ...offline, rows: 8 }, undefined, answer, {
      requests: [request(1), request(5), request(20)],
    });
    // 8, 5 and 20 rows in turn, one request after the other.
    expect((scenarios[0]?.samples ?? 0) / 50).toBeCloseTo((8 + 5 + 20) / 3, 6);
  });

  it('holds no more requests than fit into memory', async () => {
    const bodies = new Set<string>();
    // Each is 4 MB with its rows.
    const all = Array.from({ length: 60 }, (_, i) => request(1, 5000 + i, 17));
    await measured({ ...offline, seconds: 5, rows: 40 }, undefined, answer, {
      requests: all as unknown as BenchRequests['all'],
      invoked: (body) => bodies.add(body.slice(0, 60)),
    });
    const many = [...bodies].filter((body) => body.includes('[40,'));
    expect(many.length).toBeGreaterThan(5);
    expect(many.length).toBeLessThan(12);
  });
});

it('a call that Lambda throttles is no wrong answer', async () => {
  const throttled = Object.assign(new Error('Rate Exceeded.'), { $metadata: { httpStatusCode: 429 } });
  const given = {
    invoked: () => {
      throw throttled;
    },
  };
  await expect(measured({}, undefined, answer, given)).rejects.toThrow(
    'models.churn: cannot be asked at a queue: Lambda throttles it: Rate Exceeded. Wait until fewer of its instances are in use, or give the model or the account more concurrency. [MODELS_BENCH]',
  );
});
