import { expect, it } from 'vitest';
import { type ScenarioWork, singleStream } from '../../../../../plugins/models/measure/scenarios.ts';

it('one caller sends no more requests than fit into memory, and is as long as they took', async () => {
  let now = 0;
  const work: ScenarioWork = {
    timing: { clock: () => now, pause: async () => {} },
    ended: new AbortController().signal,
    asking: {
      ask: async () => {
        now += 2;
        return { outcome: 'ok', cold: false };
      },
      look: async () => ({ outcome: 'ok' }),
      isGone: () => false,
      lastFault: () => undefined,
    },
    options: {
      ...{ scenarios: ['SingleStream'], seconds: 10, strict: false, runs: 1, seed: 1, outstanding: 1 },
      ...{ arrivals: 'even', curve: false },
    },
    ...{ outstanding: 1, rows: 1 },
  };
  expect(await singleStream(work, 1000)).toMatchObject({
    ...{ verdict: 'VALID', requests: 1000, seconds: 2, samples: 500, mean: 2 },
  });
  expect(await singleStream(work)).toMatchObject({ requests: 5000, seconds: 10 });
});
