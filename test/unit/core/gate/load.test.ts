import { expect, it } from 'vitest';
import { type LoadAnswer, runLoad } from '../../../../core/gate/load.ts';
import { virtualTime } from './time.ts';

const OK: LoadAnswer = { failed: false, cold: false };

function load(
  plan: { readonly rate: number; readonly duration: number },
  ask: (index: number, time: ReturnType<typeof virtualTime>, patience: number) => Promise<LoadAnswer>,
) {
  const time = virtualTime();
  return time.run(runLoad(time, plan, (index, patience) => ask(index, time, patience)));
}

it('asks at the rate, and tells the percentiles of what it saw', async () => {
  const sent: number[] = [];
  const result = await load({ rate: 10, duration: 10 }, async (index, { clock, pause }) => {
    sent.push(clock());
    await pause(index + 1);
    return { ...OK, duration: index / 2 };
  });
  expect(sent).toEqual(Array.from({ length: 100 }, (_, i) => i * 100));
  expect(result).toEqual({ sent: 100, errors: 0, cold: 0, p50: 50, p95: 95, p99: 99, duration: 47 });
});

it('a stall counts for every request whose time was in it, not for the one that met it', async () => {
  // One server that answers in 1 ms, but from second 5 to 7 not at all. A client that waits for each answer
  // before it asks again would see one slow request of a thousand, and a p99 of 1 ms.
  const result = await load({ rate: 100, duration: 10 }, async (_, { clock, pause }) => {
    const now = clock();
    await pause(now >= 5000 && now < 7000 ? 7000 - now + 1 : 1);
    return OK;
  });
  expect(result.p50).toBe(1);
  expect(result.p95).toBeGreaterThan(1400);
  expect(result.p99).toBeGreaterThan(1800);
});

it('has 50 out at once; the others wait, and their latency says so', async () => {
  let out = 0;
  let most = 0;
  const result = await load({ rate: 100, duration: 5 }, async (_, { pause }) => {
    most = Math.max(most, ++out);
    await pause(1000);
    out -= 1;
    return OK;
  });
  expect(most).toBe(50);
  // 50 a second are answered of 100 due: at the end requests are five seconds late.
  expect(result.p99).toBeGreaterThan(5000);
  expect(result).toMatchObject({ sent: 500, errors: 0 });
});

it('cold starts are counted apart', async () => {
  const result = await load({ rate: 10, duration: 10 }, async (index, { pause }) => {
    await pause(index < 3 ? 2000 : 10);
    return { failed: false, cold: index < 3 };
  });
  expect(result).toMatchObject({ cold: 3, p50: 10, p95: 10, p99: 10 });
});

it('ends ten seconds after the last request, whoever has not answered', async () => {
  const time = virtualTime();
  const result = await time.run(
    runLoad(time, { rate: 50, duration: 10 }, async (_, patience) => {
      await time.pause(patience);
      return { failed: true, cold: false };
    }),
  );
  expect(time.clock()).toBe(20_000);
  // 50 were sent and not answered, the other 450 never had a free connection.
  expect(result).toMatchObject({ sent: 500, errors: 500 });
  expect(result.p50).toBeGreaterThan(10_000);
});
