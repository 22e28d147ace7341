import { describe, expect, it } from 'vitest';
import { WORKER_METRICS } from '../../../../core/release/document/worker-contract.ts';
import { CANARY } from '../../../fakes/settings.ts';
import { FUNCTION, fakeWorld, LIVE, STACK, tick } from '../../../fakes/world.ts';
import { deploy, deployed, due, live, minutes, promoted, type World } from './traffic.ts';

/** Its document is deleted; the schedule still ticks. */
const lose = (w: World): void => {
  w.objects.objects.delete(LIVE);
  w.notices.length = 0;
};

/** Version 4 has 5 % beside version 3, and nobody knows any more. */
async function lost(options: Parameters<typeof fakeWorld>[0] = {}): Promise<World> {
  const w = await deployed(CANARY, options);
  await minutes(w, 3);
  expect(w.target()).toEqual({ version: '3', weights: { '4': 0.05 } });
  lose(w);
  return w;
}

const pages = (w: World) => w.notices.map(({ text }) => text);

describe('a tick of a schedule whose document is gone', () => {
  it('puts all traffic on the stable version of its input, pages, and ends its schedule', async () => {
    const w = await lost();
    await due(w);
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.notices).toMatchObject([{ subject: '[page] churn: its release document is gone' }]);
    const [text] = pages(w);
    expect(text).toContain('version 3 has all traffic again');
    expect(text).toContain('Nobody judges a release of this model or watches its live version');
    expect(text).toContain('sls models status --model churn');
    expect(text).toContain('sls deploy --stage dev --region us-east-1');
    expect(w.schedules.size).toBe(0);
    expect(w.objects.objects.has(LIVE)).toBe(false);
  });

  it('pages and ends where there is no weight: nobody watches after promotion', async () => {
    const w = await promoted();
    lose(w);
    await due(w);
    expect(w.target()).toEqual({ version: '4', weights: {} });
    expect(pages(w)).toEqual([expect.stringContaining('nothing: version 4 has all traffic')]);
    expect(w.schedules.size).toBe(0);
  });

  it.each([
    ['promoted meanwhile', { version: '4', weights: {} }, 'points to version 4.'],
    ['given weights by somebody else', { version: '5', weights: { '4': 0.2 } }, 'version 5 (4: 20 %)'],
  ])('leaves an alias alone that was %s', async (_, to, says) => {
    const w = await lost();
    w.aliases.byHand(FUNCTION, 'live', to);
    await due(w);
    expect(w.target()).toEqual(to);
    expect(pages(w)).toEqual([expect.stringContaining('the alias was moved since')]);
    expect(pages(w)[0]).toContain(says);
    expect(w.schedules.size).toBe(0);
  });

  it('moves nothing where no stable version is known', async () => {
    const w = fakeWorld();
    for (const version of ['3', '4']) w.aliases.publish(FUNCTION, version);
    w.aliases.byHand(FUNCTION, 'live', { version: '3', weights: { '4': 0.1 } });
    const schedule = { group: 'group', name: 'first' };
    expect(await w.send(tick({ release: 'r', schedule }))).toMatchObject({ phase: 'NONE', version: '3' });
    expect(w.target()).toEqual({ version: '3', weights: { '4': 0.1 } });
    expect(pages(w)).toEqual([expect.stringContaining('no version was live when the release began')]);
    expect(pages(w)[0]).toContain('sls models status --model churn');
  });

  it('says so where the alias is gone, too; a function that is gone is missed by nobody', async () => {
    const w = await lost();
    w.aliases.byHand(FUNCTION, 'live', undefined);
    await due(w);
    expect(pages(w)).toEqual([expect.stringContaining('the alias live is gone, too')]);
    const other = await lost();
    other.aliases.byHand(FUNCTION, 'live', undefined);
    for (const version of ['3', '4', '5', '6', '7']) other.aliases.unpublish(FUNCTION, version);
    await due(other);
    expect([other.notices.length, other.schedules.size]).toEqual([0, 0]);
  });

  it('says nothing once the stack is gone', async () => {
    const w = await lost();
    w.stack.state = 'gone';
    const [schedule] = [...w.schedules.values()];
    expect(JSON.parse(schedule?.input ?? '').tick.stack).toBe(STACK);
    await due(w);
    expect([w.notices.length, w.schedules.size]).toEqual([0, 0]);
  });

  it.each(['get alias', 'update alias', 'publish', 'delete schedule'])(
    'comes again until all is done: an error before %s',
    async (point) => {
      let failures = 0;
      let failing = false;
      const w = await lost({
        chaos: async (at) => {
          if (!failing || !at.includes(point)) return;
          failures += 1;
          throw new Error('transient');
        },
      });
      failing = true;
      await due(w);
      expect(failures).toBeGreaterThan(0);
      expect([w.schedules.size, w.counted.at(-1)]).toEqual([1, WORKER_METRICS.unreadable]);
      failing = false;
      await due(w);
      expect(w.target()).toEqual({ version: '3', weights: {} });
      expect(pages(w).at(-1)).toContain('version 3 has all traffic again');
      expect(w.schedules.size).toBe(0);
    },
  );

  it('follows an alias that changes under it, and gives way after some tries', async () => {
    let changes = 0;
    const w: World = await lost({
      chaos: async (point) => {
        if (point !== 'before update alias' || changes === 0) return;
        changes -= 1;
        w.aliases.byHand(FUNCTION, 'live', { version: '3', weights: { '4': 0.05 } });
      },
    });
    changes = 9;
    await due(w);
    expect([w.schedules.size, w.notices.length]).toEqual([1, 0]);
    changes = 2;
    await due(w);
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.schedules.size).toBe(0);
  });

  it('gives way to a document that appears: its weights are its own', async () => {
    let text: string | undefined;
    const w: World = await lost({
      chaos: async (point) => {
        if (point !== 'before get alias' || text === undefined) return;
        w.objects.set(LIVE, text);
        text = undefined;
      },
    });
    const again = await deployed();
    await minutes(again, 3);
    text = again.objects.objects.get(LIVE)?.text;
    const [schedule] = [...w.schedules.values()];
    await w.send(JSON.parse(schedule?.input ?? ''));
    expect(w.aliases.history.at(-1)?.to).toMatchObject({ version: '3', weights: { '4': 0.05 } });
    expect(w.notices).toEqual([]);
  });

  it('of an older release goes when another one has the document', async () => {
    const w = await deployed();
    await minutes(w, 3);
    const [older] = [...w.schedules.values()];
    await deploy(w, '5', 'c', { before: '4' });
    w.stack.state = 'done';
    expect(w.schedules.size).toBe(2);
    await w.send(JSON.parse(older?.input ?? ''));
    expect(w.schedules.size).toBe(1);
    expect(w.notices.filter(({ subject }) => subject.includes('is gone'))).toEqual([]);
  });
});

describe('anyone’s tick without a document', () => {
  it('moves nothing and pages nobody, and tells of the weights that stand', async () => {
    const w = await lost();
    expect(await w.send(tick())).toEqual({
      model: 'churn',
      phase: 'NONE',
      running: false,
      version: '3',
      reason: 'the alias points to version 3 (4: 5 %), and nobody judges it: no release has a document',
    });
    expect(w.target()?.weights).toEqual({ '4': 0.05 });
    expect([w.notices.length, w.schedules.size]).toEqual([0, 1]);
  });

  it('says so where the alias cannot be read', async () => {
    const w = fakeWorld({
      chaos: async (point) => {
        if (point === 'before get alias') throw new Error('throttled');
      },
    });
    expect(await w.send(tick())).toEqual({
      model: 'churn',
      phase: 'NONE',
      running: false,
      reason: 'no release has a document, and the alias cannot be read: throttled',
    });
  });

  it('tells which version is live, or that none is', async () => {
    const w = await live();
    lose(w);
    expect(await w.send(tick())).toEqual({ model: 'churn', phase: 'NONE', running: false, version: '3' });
    expect(await fakeWorld().send(tick())).toEqual({ model: 'churn', phase: 'NONE', running: false });
  });
});

describe('the next deploy after that', () => {
  it('goes on from the version that has all traffic', async () => {
    const w = await lost();
    await due(w);
    await deploy(w, '4', 'b', { before: '4', forced: 'now' });
    w.stack.state = 'done';
    await due(w);
    expect(w.state()).toMatchObject({ stable: { version: '3' }, candidate: { version: '4' } });
  });
});
