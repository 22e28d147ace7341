import { array, assert, double, integer, property, record } from 'fast-check';
import { expect, it } from 'vitest';
import { evenArrivals, poissonArrivals } from '../../../../core/capacity/arrivals.ts';
import { closedLoop, type Generated, openLoop } from '../../../../core/capacity/generator.ts';
import { virtualTime } from '../gate/time.ts';

/** A server that takes one request at a time, each for so many milliseconds. */
function queue(time: ReturnType<typeof virtualTime>, service: (index: number) => number) {
  let free = 0;
  return async (index: number): Promise<number> => {
    const at = time.clock();
    free = Math.max(free, at) + service(index);
    await time.pause(free - at);
    return index;
  };
}

const inOrder = <A>({ issued }: Generated<A>) => issued.toSorted((a, b) => a.scheduled - b.scheduled);

it('answers come when Lindley’s recursion on its own times of sending says', async () => {
  const time = virtualTime();
  const service = (index: number): number => 5 + ((index * 7919) % 17);
  const arrivals = poissonArrivals(60, 20, 3);
  const plan = { arrivals, outstanding: Number.POSITIVE_INFINITY, end: 60_000 };
  const generated = await time.run(openLoop(time, plan, queue(time, service)));
  let free = 0;
  const expected = inOrder(generated).map(({ issued }, i) => {
    free = Math.max(free, issued) + service(i);
    return free;
  });
  expect(inOrder(generated).map(({ done }) => done)).toEqual(expected.map((at) => expect.closeTo(at, 6)));
  expect(inOrder(generated).map(({ scheduled }) => scheduled)).toEqual(
    arrivals.map((at) => expect.closeTo(at, 6)),
  );
  expect(generated.unsent).toEqual([]);
  // A clock that leaps is never late.
  expect(Math.max(...generated.issued.map(({ lateness }) => lateness))).toBeLessThan(1e-6);
});

it('sends each request once, in time and never more at once than it may', async () => {
  const plans = record({
    rate: double({ min: 1, max: 200, noNaN: true }),
    seconds: double({ min: 0.1, max: 3, noNaN: true }),
    outstanding: integer({ min: 1, max: 20 }),
    services: array(double({ min: 0.1, max: 400, noNaN: true }), { minLength: 1, maxLength: 9 }),
  });
  const one = async (plan: { rate: number; seconds: number; outstanding: number; services: number[] }) => {
    const time = virtualTime();
    const arrivals = evenArrivals(plan.rate, plan.seconds);
    const end = plan.seconds * 1000 + 2000;
    let [out, most] = [0, 0];
    const asked: number[] = [];
    const generated = await time.run(
      openLoop(time, { arrivals, outstanding: plan.outstanding, end }, async (index, patience) => {
        asked.push(index);
        most = Math.max(most, ++out);
        await time.pause(Math.min(patience, plan.services[index % plan.services.length] ?? 1));
        out -= 1;
      }),
    );
    expect(asked).toEqual(asked.map((_, i) => i));
    expect(asked.length + generated.unsent.length).toBe(arrivals.length);
    expect(most).toBeLessThanOrEqual(plan.outstanding);
    expect(generated.ended).toBeLessThanOrEqual(end + 1);
    for (const { scheduled, issued, done, lateness } of generated.issued) {
      expect(issued).toBeGreaterThanOrEqual(scheduled - 1e-9);
      expect(done).toBeGreaterThanOrEqual(issued);
      expect(lateness).toBeLessThan(1e-6);
    }
  };
  const made: Parameters<typeof one>[0][] = [];
  assert(
    property(plans, (plan) => void made.push(plan)),
    { numRuns: 40 },
  );
  for (const plan of made) await one(plan);
});

it('tells its own lateness from that of a target which lets requests wait', async () => {
  const time = virtualTime();
  // Wakes up 3 ms after each pause, as a busy machine does.
  const late = { clock: time.clock, pause: (ms: number) => time.pause(ms + 3) };
  const plan = { arrivals: evenArrivals(10, 2), outstanding: 1, end: 60_000 };
  const generated = await time.run(openLoop(late, plan, () => time.pause(150)));
  const [first, second, third] = inOrder(generated);
  expect(first?.lateness).toBe(0);
  // The second waits for the first, which is answered at 150: that is the target's fault.
  expect([second?.issued, second?.lateness]).toEqual([150, 0]);
  expect([third?.issued, third?.lateness]).toEqual([300, 0]);
  const idle = await time.run(openLoop(late, { ...plan, outstanding: 9 }, () => time.pause(1)));
  expect(
    inOrder(idle)
      .slice(1)
      .every(({ lateness }) => Math.abs(lateness - 3) < 1e-9),
  ).toBe(true);
});

it('an interruption ends it, and what was answered is kept', async () => {
  const time = virtualTime();
  const plan = {
    arrivals: evenArrivals(10, 100),
    outstanding: 9,
    end: 200_000,
    stopped: () => time.clock() >= 1000,
  };
  const generated = await time.run(openLoop(time, plan, () => time.pause(20)));
  expect(generated.issued.length).toBe(10);
  expect(generated.unsent).toEqual([]);
});

it('a closed loop sends the next request when the one before is answered', async () => {
  const time = virtualTime();
  const generated = await time.run(closedLoop(time, { last: 100, end: 1000 }, () => time.pause(30)));
  expect(generated.issued.map(({ issued, done }) => [issued, done])).toEqual([
    [0, 30],
    [30, 60],
    [60, 90],
    [90, 120],
  ]);
});
