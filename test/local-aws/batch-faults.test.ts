/**
 * The batch function itself, bundled and in a process of its own, while that process is killed and S3 fails.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import type { Fault } from './batch/between.ts';
import { deathsOf, JOBS } from './batch/deaths.ts';
import { type Rig, rig } from './batch/rig.ts';

/** One in so many of the places to die at is tried; `npm run soak -- batch-deaths` tries them all. */
const EVERY = { small: 2, large: 12, failing: 4 } as const;

let aws: LocalAws;
beforeAll(async () => {
  aws = await startAws({ auth: false });
});
afterAll(() => aws?.stop());

describe.concurrent('kill −9', () => {
  it.each(JOBS)('at any request of a job, $name: the next try ends it, byte for byte', async (job) => {
    const { wrong, kills } = await deathsOf(aws, job, EVERY[job.name], Math.floor(EVERY[job.name] / 2));
    expect(wrong).toEqual([]);
    expect(kills).toBeGreaterThanOrEqual(4);
  });
});

describe.concurrent('S3', () => {
  const [small, large] = JOBS.map(({ body }) => body) as [Uint8Array, string];
  const used = async <T>(name: string, work: (rig: Rig) => Promise<T>): Promise<T> => {
    const made = await rig(aws, name);
    try {
      return await work(made);
    } finally {
      await made.close();
    }
  };

  it('that fails every other request, breaks off answers or loses them, changes nothing, byte for byte', () =>
    used('failing-s3', async ({ play }) => {
      const faults: readonly Fault[] = ['slow down', 'cut', 'reset'];
      for (const body of [small, large]) {
        const quiet = await play(body, () => undefined);
        const failing = await play(body, (_, number) =>
          number % 2 === 0 ? faults[(number / 2) % 3] : undefined,
        );
        expect(failing.requests.length).toBeGreaterThan(1.4 * quiet.requests.length);
        expect(failing.errors).toEqual([]);
        expect(failing.files).toEqual(quiet.files);
      }
    }));

  it('that stops in the middle of an object is asked again for the rest, byte for byte', () =>
    used('slow-s3', async ({ play }) => {
      const quiet = await play(small, () => undefined);
      let stalled = 0;
      const slow = await play(small, ({ method, path }) =>
        method === 'GET' && path.startsWith('/slow-s3-in/') && ++stalled === 1 ? 'stall' : undefined,
      );
      expect(slow.requests).toHaveLength(quiet.requests.length + 1);
      expect(slow.errors).toEqual([]);
      expect(slow.files).toEqual(quiet.files);
    }));

  it('that takes nothing for minutes puts the message off; what was scored by then is not scored again', () =>
    used('down-s3', async ({ play }) => {
      const quiet = await play(small, () => undefined);
      let refused = 0;
      const down = await play(small, ({ method, path }) =>
        method === 'PUT' && path.includes('part-00001') && ++refused <= 8 ? 'slow down' : undefined,
      );
      expect(down.errors).toEqual([expect.stringMatching(/SlowDown|reduce your request rate/)]);
      expect(down.putOff).toBe(1);
      expect(down.requests.filter((request) => /^PUT .*part-00000.jsonl$/.test(request))).toHaveLength(1);
      expect(down.files).toEqual(quiet.files);
    }));
});
