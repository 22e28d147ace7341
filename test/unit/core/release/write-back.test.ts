/** MLflow is told what is live: once, again until it takes it, and never so that a release waits for it. */
import { describe, expect, it } from 'vitest';
import type { ArtifactOrigin } from '../../../../core/origin/contract.ts';
import { isAtRest } from '../../../../core/release/state/tick-schedule.ts';
import { CANARY, SETTINGS } from '../../../fakes/settings.ts';
import { FUNCTION, fakeWorld, request, tick } from '../../../fakes/world.ts';
import { statusIn } from './seen.ts';
import { due, MINUTE, minute, minutes, until, type World } from './traffic.ts';

const AT = 'https://mlflow.example';
const KEY = `serverless-models.us-east-1.${FUNCTION}`;
const GOOD = { 3: 0.01, 4: 0.01, 5: 0.01 };
const DOWN = { failed: 'cannot be reached: ECONNREFUSED', refuses: false };
const DENIED = { failed: 'refuses 403: Permission denied', refuses: true };

const of = (version: string, more: Partial<ArtifactOrigin> = {}): ArtifactOrigin => ({
  from: 'mlflow',
  at: AT,
  name: 'churn',
  version,
  ...more,
});

/** Lambda's version 3 is live, which is version 1 of MLflow's churn. */
async function live(options: Parameters<typeof fakeWorld>[0] = {}, origin?: ArtifactOrigin): Promise<World> {
  const w = fakeWorld({ mlflow: true, ...options });
  for (const version of ['3', '4', '5', '6']) w.aliases.publish(FUNCTION, version);
  await w.send(request('Create', '3', 'a', { settings: CANARY, origin: origin ?? of('1') }));
  w.stack.state = 'done';
  return w;
}

async function deploy(w: World, version: string, origin: ArtifactOrigin | undefined, before = '3') {
  w.stack.state = 'busy';
  const made = origin === undefined ? {} : { origin };
  await w.send(request('Update', version, `of ${version}`, { before, settings: CANARY, ...made }));
  w.stack.state = 'done';
}

const written = (w: World) => w.mlflow.aliases.get('churn@production');
const tag = (w: World, version: string, of = KEY) => w.mlflow.tags.get(`churn/${version} ${of}`);
const pages = (w: World) => w.notices.filter(({ subject }) => subject.includes('MLflow'));
/** Ticks by schedule, without traffic. */
async function quiet(w: World, count: number): Promise<void> {
  for (let done = 0; done < count; done += 1) {
    w.clock.now += MINUTE;
    await due(w);
  }
}

describe('what is live', () => {
  it('is written after the first deploy: the alias, and tags with Lambda’s version and the time', async () => {
    const w = await live();
    expect(written(w)).toBe('1');
    expect(tag(w, '1')).toBe('live');
    expect(tag(w, '1', `${KEY}.at`)).toBe(
      `arn:aws:lambda:us-east-1:1:function:${FUNCTION}:3 since 2026-01-01T00:00:00.000Z`,
    );
    expect(w.state()?.writeBack).toMatchObject({ is: 'written', version: '3', model: { version: '1' } });
  });

  it('is not written for a candidate, and is once that is promoted; the one before is called so', async () => {
    const w = await live();
    await deploy(w, '4', of('2'));
    await until(w, 'JUDGING', GOOD);
    expect(w.target()?.weights).not.toEqual({});
    expect([written(w), tag(w, '2')]).toEqual(['1', undefined]);
    await until(w, 'BAKING', GOOD);
    expect([written(w), tag(w, '2'), tag(w, '1')]).toEqual(['2', 'live', 'previous']);
  });

  it('goes back with a rollback by a person, and with the one by an alarm', async () => {
    const w = await live();
    await deploy(w, '4', of('2'));
    await until(w, 'BAKING', GOOD);
    await w.command('rollback');
    expect([written(w), tag(w, '1'), tag(w, '2')]).toEqual(['1', 'live', 'previous']);
  });

  it('is written again when a release is rolled back, whoever had moved the alias for it', async () => {
    const w = await live();
    // A person points to version 2 what the model is packaged from; the release of that comes to nothing.
    w.mlflow.aliases.set('churn@production', '2');
    await deploy(w, '4', of('2'));
    await until(w, 'JUDGING', GOOD);
    expect(written(w)).toBe('2');
    await until(w, 'ROLLED_BACK', { 3: 0.01, 4: 0.6 });
    expect(written(w)).toBe('1');
  });

  it('is written once a release, however often it is ticked', async () => {
    const w = await live();
    const { asked } = w.mlflow.state;
    await minutes(w, 5);
    await w.send(tick());
    expect([asked, w.mlflow.state.asked]).toEqual([1, 1]);
  });

  it('is of the same time however often it is written', async () => {
    const w = await live();
    const before = tag(w, '1', `${KEY}.at`);
    await deploy(w, '4', of('2'));
    await until(w, 'ROLLED_BACK', { 3: 0.01, 4: 0.6 });
    expect(w.mlflow.state.asked).toBe(2);
    expect(tag(w, '1', `${KEY}.at`)).toBe(before);
  });
});

describe('a model that MLflow does not have', () => {
  it.each([
    ['of a file', undefined],
    ['of another server', of('1', { at: 'https://other.example' })],
    ['of Hugging Face', of('1', { from: 'huggingface' })],
  ])('%s is not written', async (_, origin) => {
    const w = fakeWorld({ mlflow: true });
    w.aliases.publish(FUNCTION, '3');
    await w.send(request('Create', '3', 'a', { settings: SETTINGS, ...(origin && { origin }) }));
    w.stack.state = 'done';
    await quiet(w, 3);
    expect(w.mlflow.state.asked).toBe(0);
    expect(w.state()).toMatchObject({ phase: 'DONE', writeBack: { is: 'none' } });
    expect(w.schedules.size).toBe(0);
  });

  it('takes the word “live” from the version of MLflow that it replaces, and leaves the alias', async () => {
    const w = await live();
    await deploy(w, '4', undefined);
    await until(w, 'BAKING', GOOD);
    expect([written(w), tag(w, '1')]).toEqual(['1', 'previous']);
    expect(w.state()?.writeBack).toMatchObject({ is: 'written', version: '4' });
  });
});

describe('MLflow that is down', () => {
  it('keeps no release up, is told of once after a quarter of an hour, and is written to by a later tick', async () => {
    const w = await live();
    w.mlflow.state.failing = DOWN;
    await deploy(w, '4', of('2'));
    await until(w, 'BAKING', GOOD);
    expect(w.target()).toEqual({ version: '4', weights: {} });
    expect(pages(w)).toEqual([]);
    await minutes(w, 60, GOOD);
    expect(pages(w)).toMatchObject([{ subject: '[page] churn: MLflow is not told what is live' }]);
    expect(pages(w)[0]?.text).toContain(`Why: MLflow at ${AT} cannot be reached: ECONNREFUSED.`);
    expect(pages(w)[0]?.text).toContain('What it should say: alias production of churn is version 2.');
    expect(await statusIn(w)).toMatchObject({
      level: 'look',
      summary:
        'Version 4 has all traffic. MLflow does not know what is live: it cannot be reached: ECONNREFUSED.',
    });
    expect(w.counted.filter((metric) => metric === 'ReleaseUnwritten').length).toBeGreaterThan(2);
    delete w.mlflow.state.failing;
    await minutes(w, 40, GOOD);
    expect([written(w), tag(w, '1')]).toEqual(['2', 'previous']);
    expect((await statusIn(w)).level).toBe('ok');
    expect(pages(w)).toHaveLength(1);
    expect(w.log.map(({ message }) => message)).toContain('MLflow is told again what is live');
    expect(w.counted).not.toContain('ReleaseFailed');
  });

  it('for some seconds is nobody’s business', async () => {
    const w = await live({}, of('1'));
    w.mlflow.state.failing = DOWN;
    await deploy(w, '4', of('2'));
    await until(w, 'BAKING', GOOD);
    delete w.mlflow.state.failing;
    await minutes(w, 12, GOOD);
    expect(written(w)).toBe('2');
    expect(pages(w)).toEqual([]);
  });

  it('keeps the tick of a release that is over, and its schedule comes back where it is lost', async () => {
    const w = fakeWorld({ mlflow: true });
    w.aliases.publish(FUNCTION, '3');
    w.mlflow.state.failing = DOWN;
    await w.send(request('Create', '3', 'a', { settings: SETTINGS, origin: of('1') }));
    w.stack.state = 'done';
    await quiet(w, 5);
    expect(w.state()?.phase).toBe('DONE');
    expect(w.schedules.size).toBe(1);
    const state = w.state();
    const alias = w.alias();
    if (state === undefined || alias === undefined) throw new Error('nothing is there');
    expect(isAtRest(state, alias, w.clock.now)).toBe(false);
    w.schedules.clear();
    await w.send({ sweep: true });
    expect(w.schedules.size).toBe(1);
    delete w.mlflow.state.failing;
    await quiet(w, 40);
    expect(written(w)).toBe('1');
    expect(w.schedules.size).toBe(0);
  });

  it('is given up after six hours, which is told, and tried again by the next release', async () => {
    const w = await live();
    w.mlflow.state.failing = DOWN;
    await deploy(w, '4', of('2'));
    await until(w, 'BAKING', GOOD);
    await quiet(w, 7 * 60);
    expect(pages(w).map(({ subject }) => subject)).toEqual([
      '[page] churn: MLflow is not told what is live',
      'churn: MLflow was not told what is live, and is not asked any more',
    ]);
    expect(w.state()?.writeBack).toMatchObject({ is: 'gaveUp', reason: DOWN.failed });
    const { level, todo } = await statusIn(w);
    expect([level, todo]).toEqual([
      'look',
      [
        'Once it answers, set it there: alias production of churn is version 2. The next release of the model writes it again.',
      ],
    ]);
    const { asked } = w.mlflow.state;
    // Doubling from a minute to half an hour, in ticks of ten minutes.
    expect(asked).toBeLessThan(24);
    await quiet(w, 60);
    expect(w.mlflow.state.asked).toBe(asked);
    delete w.mlflow.state.failing;
    await deploy(w, '5', of('3'), '4');
    await until(w, 'BAKING', GOOD);
    expect([written(w), tag(w, '3'), tag(w, '2'), tag(w, '1')]).toEqual([
      '3',
      'live',
      'previous',
      'previous',
    ]);
  });

  it('is told of at once where it refuses', async () => {
    const w = await live();
    w.mlflow.state.failing = DENIED;
    await deploy(w, '4', of('2'));
    await until(w, 'BAKING', GOOD);
    expect(pages(w)).toHaveLength(1);
    await minutes(w, 90, GOOD);
    expect(pages(w)).toHaveLength(1);
  });

  it('is told of once where a rollback comes while it is down', async () => {
    const w = await live();
    w.mlflow.state.failing = DENIED;
    await deploy(w, '4', of('2'));
    await until(w, 'BAKING', GOOD);
    await w.command('rollback');
    await quiet(w, 60);
    expect(w.state()).toMatchObject({ phase: 'ROLLED_BACK', stable: { version: '3' } });
    expect(pages(w)).toHaveLength(1);
    delete w.mlflow.state.failing;
    await quiet(w, 60);
    // Nobody knows whether version 2 was written: it is called the one before.
    expect([written(w), tag(w, '1'), tag(w, '2')]).toEqual(['1', 'live', 'previous']);
  });

  it('that has lost the version before takes the one that is live', async () => {
    const w = await live();
    w.mlflow.gone.add('churn/1');
    await deploy(w, '4', of('2'));
    await until(w, 'BAKING', GOOD);
    expect(written(w)).toBe('2');
    expect(w.state()?.writeBack).toMatchObject({ is: 'written' });
  });
});

describe('a worker that dies', () => {
  const points = ['before mlflow alias', 'after mlflow alias', 'before mlflow tag', 'after mlflow tag'];
  it.each(points)('%s leaves what the next one writes, the same', async (deadly) => {
    let dies = false;
    const w = await live({
      chaos: async (point) => {
        if (dies && point === deadly) {
          dies = false;
          throw new Error('killed');
        }
      },
    });
    dies = true;
    await deploy(w, '4', of('2'));
    await until(w, 'BAKING', GOOD);
    expect(dies).toBe(false);
    const since = w.state()?.writeBack?.since;
    expect(w.state()?.writeBack).toMatchObject({ is: 'pending', attempts: 1 });
    await minutes(w, 12, GOOD);
    expect([written(w), tag(w, '2'), tag(w, '1')]).toEqual(['2', 'live', 'previous']);
    expect(tag(w, '2', `${KEY}.at`)).toContain(`:4 since ${since}`);
    expect(pages(w)).toEqual([]);
  });

  it('and one that is slow never writes over a faster one: nobody writes while an attempt may be under way', async () => {
    let hangs: (() => void) | undefined;
    let isHanging = false;
    const w = await live({
      chaos: async (point) => {
        if (point !== 'before mlflow alias' || !isHanging) return;
        isHanging = false;
        await new Promise<void>((go) => {
          hangs = go;
        });
      },
    });
    await deploy(w, '4', of('2'));
    await until(w, 'JUDGING', GOOD);
    isHanging = true;
    // Promoted by one that then hangs at MLflow; a rollback comes meanwhile.
    const slow = w.command('promote');
    while (hangs === undefined) await new Promise((go) => setTimeout(go, 1));
    await w.command('rollback');
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.mlflow.state.asked).toBe(2);
    hangs();
    await slow;
    expect(written(w)).toBe('2');
    await minutes(w, 12, GOOD);
    expect([written(w), tag(w, '2')]).toEqual(['1', 'previous']);
  });
});

describe('a document of another worker', () => {
  it('without a word of it is written from, and one that is pending is forgotten where nobody is told any more', async () => {
    const w = await live({ mlflow: undefined as never });
    expect(w.state()?.writeBack).toBeUndefined();
    Object.assign(w.world, { mlflow: w.mlflow.port });
    await w.send(tick());
    expect(written(w)).toBe('1');
    w.mlflow.state.failing = DOWN;
    await deploy(w, '4', of('2'));
    await until(w, 'BAKING', GOOD);
    expect(w.state()?.writeBack?.is).toBe('pending');
    Object.assign(w.world, { mlflow: undefined });
    await minute(w, GOOD);
    await w.send(tick());
    expect(w.state()?.writeBack).toBeUndefined();
  });

  it('is written anew where another server or alias is named', async () => {
    const w = await live();
    Object.assign(w.world, { mlflow: { ...w.mlflow.port, alias: 'staging' } });
    await w.send(tick());
    expect(w.mlflow.aliases.get('churn@staging')).toBe('1');
    expect(tag(w, '1')).toBe('live');
    Object.assign(w.world, { mlflow: { ...w.mlflow.port, at: 'https://other.example' } });
    await w.send(tick());
    expect(w.state()?.writeBack).toMatchObject({ is: 'none', at: 'https://other.example' });
  });

  it('that is over, and whose alias somebody else moved since, is not written from either', async () => {
    const w = fakeWorld({ mlflow: true });
    for (const version of ['3', '4']) w.aliases.publish(FUNCTION, version);
    await w.send(request('Create', '3', 'a', { settings: SETTINGS, origin: of('1') }));
    w.stack.state = 'done';
    await quiet(w, 3);
    expect(w.state()?.phase).toBe('DONE');
    w.aliases.byHand(FUNCTION, 'live', { version: '4', weights: {} });
    Object.assign(w.world, { mlflow: { ...w.mlflow.port, alias: 'staging' } });
    await w.send(tick());
    expect(w.mlflow.aliases.get('churn@staging')).toBeUndefined();
  });

  it('whose alias somebody else moved is not written from', async () => {
    const w = await live();
    w.aliases.byHand(FUNCTION, 'live', { version: '4', weights: {} });
    Object.assign(w.world, { mlflow: { ...w.mlflow.port, alias: 'staging' } });
    await minutes(w, 3, GOOD);
    expect(w.mlflow.aliases.get('churn@staging')).toBeUndefined();
  });
});
