import { expect, it } from 'vitest';
import { trueQuantile } from '../../../../../bench/capacity/queues.ts';
import type { Invoked } from '../../../../../core/ports/aws.ts';
import type { Signature } from '../../../../../core/tensor/contract.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { type MeasureGiven, measure } from '../../../../../plugins/models/measure/measure.ts';
import type { BenchOptions } from '../../../../../plugins/models/measure/options.ts';
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
function measured(options: Partial<BenchOptions>, cut = Number.POSITIVE_INFINITY, answered = answer) {
  const ending = new AbortController();
  let asked = 0;
  const time = virtualTime();
  const [model] = parseModels({ churn: { artifact: 'churn.onnx' } }).models;
  if (model === undefined) throw new Error('no model');
  let free = 0;
  const invoke = async (): Promise<Invoked> => {
    asked += 1;
    if (asked === cut) ending.abort();
    free = Math.max(free, time.clock()) + SERVICE;
    await time.pause(free - time.clock());
    return answered;
  };
  const given: MeasureGiven = {
    ...{ model, signature, timing: time },
    target: { kind: 'here', name: 'a queue', functionName: 'f', version: '1', invoke: { invoke } },
    requests: { from: 'made of the signature', all: [{ body: '{}', rows: 1, inputs: [] }] },
    options: {
      ...{ scenarios: ['Server'], seconds: 100, strict: false, runs: 5, seed: 1, outstanding: 1000, rows: 8 },
      ...{ arrivals: 'poisson', curve: false },
      ...options,
    },
    ended: ending.signal,
    progress: () => {},
    notice: () => {},
  };
  return time.run(measure(given));
}

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
