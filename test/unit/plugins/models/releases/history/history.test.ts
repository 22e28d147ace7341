import { describe, expect, it } from 'vitest';
import { mergeCard } from '../../../../../../core/card/merge.ts';
import type { Release } from '../../../../../../core/release/document/contract.ts';
import type { Deployment } from '../../../../../../core/release/document/history-contract.ts';
import { historyOf, readHistory } from '../../../../../../plugins/models/releases/history/history.ts';
import type { Past } from '../../../../../../plugins/models/releases/history/past.ts';
import { historyText, unshown, whys } from '../../../../../../plugins/models/releases/history/text.ts';
import { ulid } from '../../../../../../plugins/models/releases/history/ulid.ts';
import { CANARY, SETTINGS } from '../../../../../fakes/settings.ts';
import { FUNCTION, fakeWorld, LIVE, request, SCOPE, tick } from '../../../../../fakes/world.ts';
import {
  alarm,
  deploy,
  deployed,
  live,
  MINUTE,
  minute,
  minutes,
  promoted,
  rollBack,
  until,
  type World,
} from '../../../../core/release/traffic.ts';

const GOOD = { 3: 0.01, 4: 0.01, 5: 0.01, 6: 0.01 };
const FAILS = { state: { verdict: 'fail', done: 1, count: 1, failed: [1] }, failures: [] } as const;

/** What is under `releases/` as a worker wrote it that did not note what a release was about, nor of what. */
function asBefore(w: World): void {
  for (const [key, { text }] of [...w.objects.objects]) {
    if (!key.startsWith(`${SCOPE}releases/`)) continue;
    const dropped = (name: string, value: unknown): unknown =>
      ['began', 'source', 'endedAt'].includes(name) ? undefined : value;
    w.objects.set(key, JSON.stringify(JSON.parse(text, dropped)));
  }
}

/** Who deploys what, a second after what was before and a second before what follows. */
async function recorded(
  w: World,
  by: string,
  offers: Readonly<Record<string, string>>,
  more: Partial<Deployment> = {},
): Promise<string> {
  w.clock.now += 1000;
  const id = ulid(w.clock.now, new Uint8Array(10));
  const models = Object.entries(offers).map(([fingerprint, source]) => {
    return { model: 'churn', identity: 'i', layer: 'l', fingerprint, source };
  });
  await w.world.registry.deploy({ schema: 1, id, at: 'x', by, plugin: '1.2.3', models, ...more });
  w.clock.now += 1000;
  return id;
}

const history = (w: World, limit = 10): Promise<readonly Past[]> =>
  readHistory(w.world.registry, 'churn', limit);
/** `<from> → <to> <outcome>, <source>`, newest first. */
const lines = async (w: World): Promise<readonly string[]> =>
  (await history(w)).map(({ from, to, outcome, source }) => `${from} → ${to} ${outcome}, ${source}`);

describe.each([
  ['as they are', () => {}],
  ['of an older worker', asBefore],
])('with documents %s', (_, make) => {
  it('a first deploy that failed and was fixed: each is what it was, although both are version 1', async () => {
    const w = fakeWorld();
    w.aliases.publish(FUNCTION, '1');
    w.gates.set('1', [FAILS]);
    await w.send(request('Create', '1', 'bad', { source: 'of bad' }));
    expect(w.answers.at(-1)).toMatchObject({ Status: 'FAILED' });
    w.stack.state = 'rollingBack';
    await w.send(request('Delete', '1', 'bad'));
    w.stack.state = 'busy';
    w.gates.delete('1');
    await w.send(request('Create', '1', 'good', { source: 'of good' }));
    make(w);
    expect(await lines(w)).toEqual(['undefined → 1 promoted, of good', 'undefined → 1 given up, of bad']);
    expect((await history(w))[1]).toMatchObject({ fingerprint: 'bad', gate: { verdict: 'fail' } });
  });

  it('a model that was removed in a canary and made anew: numbers begin again, and what was stays', async () => {
    const w = fakeWorld();
    for (const version of ['3', '4']) w.aliases.publish(FUNCTION, version);
    await w.send(request('Create', '3', 'a', { settings: CANARY, source: 'of a' }));
    await deploy(w, '4', 'b', { source: 'of b' });
    w.stack.state = 'done';
    await minutes(w, 3, GOOD);
    w.stack.state = 'busy';
    await w.send(request('Delete', '4', 'b'));
    await w.send(request('Create', '3', 'y', { settings: CANARY, source: 'of y' }));
    await deploy(w, '4', 'z', { source: 'of z' });
    w.stack.state = 'done';
    await minutes(w, 1);
    make(w);
    expect(await lines(w)).toEqual([
      '3 → 4 under way, of z',
      'undefined → 3 promoted, of y',
      '3 → 4 superseded, of b',
      'undefined → 3 promoted, of a',
    ]);
  });

  it('a rollback to a version before the stable one in a canary: the release, what it was, and how far it came', async () => {
    const w = await live(SETTINGS);
    await deploy(w, '4', 'b', { settings: SETTINGS });
    w.stack.state = 'done';
    await minute(w);
    await deploy(w, '5', 'c', { before: '4', source: 'of c' });
    w.stack.state = 'done';
    await minutes(w, 3, GOOD);
    expect(w.target()).toEqual({ version: '4', weights: { '5': 0.05 } });
    await w.command('rollback', { to: '3' });
    await minute(w);
    expect(w.target()).toEqual({ version: '3', weights: {} });
    make(w);
    const [last] = await history(w);
    expect(last).toMatchObject({
      from: '4',
      to: '5',
      outcome: 'given up in favour of version 3',
      restored: '3',
      fingerprint: 'c',
      source: 'of c',
      identity: 'identity of c',
      gate: { verdict: 'pass' },
      weight: 5,
      step: { number: 1, of: 3 },
    });
    expect(historyText('churn', last === undefined ? [] : [last])).toMatch(
      /version 4 → 5 {2}given up in favour of version 3 after .*\n.*\n +artifact {2}sha256 of c\n +gate .*\n +step 1 .*\n +traffic {3}5 % in step 1 of 3\n/,
    );
  });

  it('a rollback by the judge: it ended then, whatever is noted later', async () => {
    const w = await deployed();
    await until(w, 'JUDGING', GOOD);
    await until(w, 'ROLLED_BACK', { 3: 0.02, 4: 0.6 });
    const at = new Date(w.clock.now).toISOString();
    w.clock.now += 8 * 60 * MINUTE;
    await deploy(w, '4', 'b', { before: '4', settings: { ...CANARY, maxWait: 100 } });
    w.stack.state = 'done';
    await minute(w, GOOD);
    make(w);
    expect((await history(w))[0]).toMatchObject({ outcome: 'rolled back', endedAt: at });
  });

  it('a rollback after promotion, to a version before the last good one, too', async () => {
    const w = await live(SETTINGS);
    for (const [version, fingerprint, before] of [
      ['4', 'b', '3'],
      ['6', 'd', '4'],
    ] as const) {
      await deploy(w, version, fingerprint, { before, settings: SETTINGS });
      w.stack.state = 'done';
      await minute(w);
    }
    const rolledBackAt = new Date(w.clock.now).toISOString();
    await w.command('rollback', { to: '3' });
    await minute(w);
    make(w);
    const [last] = await history(w);
    expect(last).toMatchObject({
      rolledBackAt,
      from: '4',
      to: '6',
      outcome: 'promoted, then rolled back to version 3',
      fingerprint: 'd',
      weight: 100,
    });
    expect(historyText('churn', last === undefined ? [] : [last])).toMatch(
      / {2}promoted after [^,]+, then rolled back to version 3 after \d+ [a-z]+\n/,
    );
  });

  it('who had it promoted before its steps were over, also once it was rolled back', async () => {
    const w = await deployed();
    await minutes(w, 3, GOOD);
    await w.command('promote');
    await minutes(w, 2, GOOD);
    make(w);
    const [good] = await history(w);
    expect(good).toMatchObject({ outcome: 'promoted', promotedBy: expect.stringContaining('arn:') });
    const told = `promotion asked for by ${good?.promotedBy}`;
    expect(historyText('churn', [good as Past]).split(told)).toHaveLength(2);
    await w.command('rollback');
    await minute(w);
    make(w);
    const [bad] = await history(w);
    expect(bad).toMatchObject({ outcome: 'promoted, then rolled back', promotedBy: good?.promotedBy });
    expect(historyText('churn', [bad as Past])).toMatch(
      new RegExp(
        `\\n +why +${told} after [^\\n]+\\n +why +rollback asked for by arn[^\\n]+\\n +why +version 4 was rolled back to version 3: asked for by `,
      ),
    );
  });

  it('all that persons asked of it and got, with who, when and why, and of the next one only its own', async () => {
    const w = await deployed();
    await minutes(w, 3, GOOD);
    await w.command('hold', { reason: 'a look at the answers' });
    expect(await w.command('hold', { reason: 'once more' })).toMatchObject({ done: false });
    await minutes(w, 4, GOOD);
    await w.command('resume');
    await minutes(w, 2, GOOD);
    await w.command('promote', { reason: 'they are right' });
    await minutes(w, 2, GOOD);
    make(w);
    const [past] = await history(w);
    const by = expect.stringMatching(/^arn:/);
    const at = expect.stringMatching(/^20.*Z$/);
    expect(past?.commands).toEqual([
      { verb: 'hold', by, at, reason: 'a look at the answers' },
      { verb: 'resume', by, at },
      { verb: 'promote', by, at, reason: 'they are right' },
    ]);
    expect(historyText('churn', [past as Past])).toMatch(
      /\n +why +held by arn\S+ after 3 min: a look at the answers\n +why +resumed by arn\S+ after 7 min\n +why +promotion asked for by arn\S+ after 9 min: they are right$/,
    );
    await minutes(w, 90, GOOD);
    await deploy(w, '5', 'c', { before: '4' });
    // As an older worker would have left them.
    const found = await w.world.registry.release('churn');
    const commands = past?.commands?.map((one) => ({ release: 'before', ...one })) ?? [];
    await w.world.registry.move({ ...(found?.release as Release), commands }, found?.etag);
    await minutes(w, 3, GOOD);
    await w.command('hold', { reason: 'of this one' });
    make(w);
    const [next, before] = await history(w);
    expect(next?.commands).toEqual([{ verb: 'hold', by, at, reason: 'of this one' }]);
    expect(before?.commands).toEqual(past?.commands);
  });

  it('nobody had it promoted where it was rolled back before it had all traffic', async () => {
    const provisioned = { min: 2, max: 2, target: 0.7 };
    const w = await deployed({ ...CANARY, capacity: { provisioned, schedules: [] } });
    await minutes(w, 5, GOOD);
    w.capacity.hold(FUNCTION, '3', 6);
    const { provided } = w.world.capacity;
    // The candidate's instances never come up.
    Object.assign(w.world.capacity, {
      provided: async (name: string, version: string) => {
        const has = await provided(name, version);
        return version === '4' && has ? { ...has, ready: 1, state: 'inProgress' } : has;
      },
    });
    await minutes(w, 20, GOOD);
    await w.command('promote');
    await until(w, 'ROLLED_BACK', { 3: 0.02, 4: 0.5 }, { most: 10 });
    make(w);
    const [bad] = await history(w);
    expect(bad).toMatchObject({ outcome: 'rolled back', weight: 5 });
    expect(bad?.promotedBy).toBeUndefined();
    expect(historyText('churn', [bad as Past])).not.toContain('promoted by');
  });

  it('a release that was rolled back before the version that stayed live gave way itself', async () => {
    const w = await promoted();
    await deploy(w, '5', 'c', { before: '4' });
    w.stack.state = 'done';
    await until(w, 'ROLLED_BACK', { 4: 0.02, 5: 0.5 });
    await minutes(w, 21);
    await alarm(w);
    await until(w, 'REVERSING');
    make(w);
    expect((await history(w))[0]?.outcome).toBe('rolled back, and the live version is doubted');
    await until(w, 'ROLLED_BACK', { 3: 0.02, 4: 0.3 });
    expect(w.target()).toEqual({ version: '3', weights: {} });
    make(w);
    expect((await history(w))[0]).toMatchObject({
      from: '4',
      to: '5',
      fingerprint: 'c',
      outcome: 'rolled back, then version 4 gave way to version 3',
      reason: expect.stringContaining('version 4 was rolled back to version 3'),
    });
  });

  it('a release whose gate failed before the version that stayed live gave way itself', async () => {
    const w = await promoted();
    w.gates.set('5', [FAILS]);
    await deploy(w, '5', 'c', { before: '4' });
    await rollBack(w, '4', 'b', '5');
    w.stack.state = 'done';
    await minute(w);
    await w.command('rollback', { to: '3' });
    await minute(w);
    const old = make === asBefore;
    make(w);
    const [last] = await history(w);
    expect(last).toMatchObject({ from: '4', gate: { verdict: 'fail' } });
    // Older workers wrote nowhere else which version it was.
    expect(last?.to).toBe(old ? undefined : '5');
    expect(last?.outcome).toBe('given up, then version 4 gave way to version 3');
  });

  it('what another deploy reverted in its canary', async () => {
    const w = await deployed();
    await minutes(w, 3, GOOD);
    const since = Date.parse(w.state()?.startedAt ?? '');
    w.clock.now += 240_000;
    await deploy(w, '5', 'a', { before: '4' });
    make(w);
    const [now, then] = await history(w);
    expect(now).toMatchObject({ from: '3', to: '5', fingerprint: 'a', outcome: 'promoted', weight: 100 });
    expect(then).toMatchObject({ from: '3', to: '4', fingerprint: 'b', outcome: 'superseded', weight: 5 });
    expect(then?.endedAt).toBe(now?.startedAt);
    expect(Date.parse(then?.endedAt ?? '') - since).toBe(420_000);
  });
});

describe('history', () => {
  it('names no other version with the same number, where nothing is left of what was deployed', async () => {
    const w = await live();
    for (const key of [...w.objects.objects.keys()])
      if (key.includes('/versions/')) w.objects.objects.delete(key);
    const other = {
      schema: 1,
      model: 'churn',
      functionName: FUNCTION,
      version: '3',
      fingerprint: 'z',
      source: 'of z',
    };
    w.objects.set(`${SCOPE}versions/churn/3.json`, JSON.stringify(other));
    asBefore(w);
    const [only] = await history(w);
    expect(only).toMatchObject({ to: '3', fingerprint: 'a' });
    expect(only).not.toHaveProperty('source');
    expect(historyText('churn', [only as Past])).toContain('artifact  not known');
    // A number that begins alike is none.
    w.objects.set(`${SCOPE}versions/churn/31.json`, JSON.stringify({ ...other, fingerprint: 'a' }));
    expect((await history(w))[0]).not.toHaveProperty('source');
    w.objects.set(
      `${SCOPE}versions/churn/3-20250101T000000000Z.json`,
      JSON.stringify({ ...other, fingerprint: 'a' }),
    );
    expect((await history(w))[0]?.source).toBe('of z');
  });

  it('does not take what a release before was about, which an older worker left there, for what this one is', async () => {
    const w = await deployed();
    const { began } = w.state() ?? {};
    expect(began).toMatchObject({ from: '3', to: { version: '4', fingerprint: 'b', source: 'source' } });
    await until(w, 'BAKING', GOOD);
    await deploy(w, '5', 'c', { before: '4' });
    w.objects.set(LIVE, JSON.stringify({ ...w.state(), began }));
    expect((await history(w))[0]).toMatchObject({ from: '4', to: '5', fingerprint: 'c' });
  });

  it('gives the reasons of older workers as they were', async () => {
    const w = await live();
    await deploy(w, '4', 'b');
    await rollBack(w, '3', 'a', '4');
    const reason = 'the stack rolled back to version 2';
    w.objects.set(LIVE, JSON.stringify({ ...w.state(), reason }));
    asBefore(w);
    expect(historyText('churn', await history(w, 1))).toContain(`why       ${reason}`);
  });

  it('has a version that is released once more as that', async () => {
    const w = await live(SETTINGS);
    const { revision = '' } = w.alias() ?? {};
    const split = { version: '3', weights: { '4': 0.1 }, description: '' };
    await w.world.aliases.update(FUNCTION, 'live', split, revision);
    await deploy(w, '3', 'a', { settings: SETTINGS, forced: 'now' });
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(historyText('churn', await history(w, 1))).toContain('UTC  version 3 again  promoted');
  });

  it('has a release once, where one that should have followed could not begin', async () => {
    const w = await deployed();
    await minutes(w, 3, GOOD);
    const before = w.state() as Release;
    await w.world.registry.archive({ model: 'churn', release: { ...before, phase: 'SUPERSEDED' } });
    expect(await lines(w)).toEqual(['3 → 4 under way, source', 'undefined → 3 promoted, source']);
    await until(w, 'BAKING', GOOD);
    await deploy(w, '5', 'c', { before: '4' });
    expect((await history(w)).map(({ outcome }) => outcome)).toEqual(['under way', 'promoted', 'promoted']);
  });
});

describe('what was released', () => {
  it('is told with its registry’s version and run, and the data it was trained on', async () => {
    const w = await live();
    const { card } = mergeCard(
      { dataset: { file: 'data/t.csv' } },
      { data: { sha256: 'c'.repeat(64), bytes: 1 } },
    );
    await deploy(w, '4', 'b', { card: JSON.stringify(card) });
    const origin = { from: 'mlflow', at: 'https://m', name: 'churn', version: '7', run: '0a1b' } as const;
    const key = `${SCOPE}versions/churn/3.json`;
    w.objects.set(key, JSON.stringify({ ...JSON.parse(w.objects.objects.get(key)?.text ?? ''), origin }));
    const [second, first] = await history(w);
    expect(second?.card).toEqual(card);
    expect(first?.origin).toEqual(origin);
    const text = historyText('churn', await history(w));
    expect(text).toContain(`      data      data/t.csv, sha256 ${'c'.repeat(64)} (file)`);
    expect(text).toContain('      origin    churn version 7 of MLflow, run 0a1b\n      data      not known');
  });
});

it.each([
  ['promoted by ann: they are right', ['promoted by ann: they are right']],
  ['held by ben: a look', ['promoted by ann', 'held by ben: a look']],
])('an older worker kept one word of a person, which is told: %s', async (reason, told) => {
  const [past] = await history(await live());
  expect(whys({ ...(past as Past), promotedBy: 'ann', reason })).toEqual(told);
});

describe('who deployed', () => {
  const by = async (w: World) => (await history(w)).map((past) => past.by);

  it('is known of a deploy that was interrupted once the stack began, and of one superseded before its first tick', async () => {
    const w = await live();
    await recorded(w, 'jane', { b: 'of b' });
    await deploy(w, '4', 'b');
    expect(w.state()?.deployment).toBeUndefined();
    expect(await by(w)).toEqual(['jane', undefined]);
    await recorded(w, 'joe', { c: 'of c' });
    await deploy(w, '5', 'c', { before: '4' });
    expect(await by(w)).toEqual(['joe', 'jane', undefined]);
  });

  it('is nobody whose deploy released the like of it before, or began later', async () => {
    const w = await live();
    const first = await recorded(w, 'jane', { b: 'of b' });
    const { RequestId } = await deploy(w, '4', 'b');
    await w.world.registry.ended(first, 'churn', {
      release: RequestId,
      phase: 'BAKING',
      at: 'x',
      judgements: [],
    });
    await deploy(w, '5', 'c', { before: '4' });
    await deploy(w, '6', 'b', { before: '5' });
    w.clock.now += 1;
    await recorded(w, 'late', { b: 'of b' });
    expect(await by(w)).toEqual([undefined, undefined, 'jane', undefined]);
  });

  it('is who forced it', async () => {
    const w = await live();
    await recorded(w, 'jane', { b: 'of b' }, { forced: true });
    await deploy(w, '4', 'b');
    const [last, first] = await history(w);
    expect([last?.forced, first?.forced]).toEqual([true, undefined]);
    expect(historyText('churn', [last as Past])).toContain('by        jane, plugin 1.2.3, with --force');
  });

  it('is who ran the framework’s rollback, whose record offers nothing', async () => {
    const w = await live();
    await recorded(w, 'jane', { b: 'of b' });
    await deploy(w, '4', 'b');
    await recorded(w, 'joe', { c: 'of c' });
    await deploy(w, '5', 'c', { before: '4' });
    const id = await recorded(w, 'jim', {});
    await deploy(w, '6', 'b', { before: '5' });
    // Jane’s was interrupted, too: no record names a release.
    expect(await by(w)).toEqual(['jim', 'joe', 'jane', undefined]);
    const [last] = await history(w);
    expect(last).toMatchObject({ deployment: id, command: 'rollback' });
    expect(historyText('churn', [last as Past])).toContain('by        jim, plugin 1.2.3, by sls rollback');
    // What follows is not of that rollback.
    w.clock.now += 1000;
    await deploy(w, '7', 'e', { before: '6' });
    expect(await by(w)).toEqual([undefined, 'jim', 'joe', 'jane', undefined]);
  });

  it('is who was told to the worker, also of a rollback', async () => {
    const w = await live();
    const id = await recorded(w, 'jim', {});
    const { RequestId } = await deploy(w, '4', 'b');
    await w.send(tick({ deployment: id, release: RequestId }));
    expect((await history(w))[0]).toMatchObject({ by: 'jim', deployment: id, command: 'rollback' });
  });

  it('is not who followed another release, as older workers noted', async () => {
    const w = await live();
    const wrong = await recorded(w, 'jane', { b: 'of b' });
    await deploy(w, '4', 'b');
    const right = await recorded(w, 'joe', { c: 'of c' });
    const { RequestId } = await deploy(w, '5', 'c', { before: '4' });
    w.objects.set(LIVE, JSON.stringify({ ...w.state(), deployment: { id: wrong } }));
    await w.world.registry.ended(wrong, 'churn', {
      release: RequestId,
      phase: 'BAKING',
      at: 'x',
      judgements: [],
    });
    expect((await history(w))[0]).toMatchObject({ by: 'joe', deployment: right, command: 'deploy' });
  });

  it('is not known where the record is gone', async () => {
    const w = await live();
    await recorded(w, 'jane', { b: 'of b' });
    w.clock.now += 1000;
    const id = await recorded(w, 'joe', { b: 'of b' });
    const { RequestId } = await deploy(w, '4', 'b');
    await w.send(tick({ deployment: id, release: RequestId }));
    w.objects.objects.delete(`${SCOPE}deployments/${id}.json`);
    expect((await by(w))[0]).toBeUndefined();
  });
});

it('a rollback after promotion that a person undoes', async () => {
  const w = await live(SETTINGS);
  await deploy(w, '4', 'b', { before: '3', settings: SETTINGS });
  w.stack.state = 'done';
  await minute(w);
  await w.command('rollback');
  await w.command('rollback', { to: '4' });
  await minute(w);
  expect((await history(w))[0]).toMatchObject({
    from: '3',
    to: '4',
    outcome: 'promoted, then rolled back, then brought back',
    fingerprint: 'b',
  });
  expect((await history(w))[0]).not.toHaveProperty('rolledBackAt');
});

it('a release that a deploy superseded ended when that one began', async () => {
  const w = await deployed();
  await minutes(w, 3, GOOD);
  const at = new Date(w.clock.now).toISOString();
  await deploy(w, '5', 'c', { before: '4' });
  expect((await history(w))[1]).toMatchObject({ to: '4', outcome: 'superseded', endedAt: at });
});

it('a release that an older worker begins has no end of the one before', async () => {
  const w = await promoted();
  await w.command('rollback');
  const endedAt = w.state()?.endedAt;
  expect(endedAt).toBeDefined();
  w.clock.now += 60 * MINUTE;
  await deploy(w, '5', 'c', { before: '4' });
  w.objects.set(LIVE, JSON.stringify({ ...w.state(), endedAt }));
  w.stack.state = 'done';
  await until(w, 'ROLLED_BACK', { ...GOOD, 5: 0.6 });
  expect((await history(w))[0]).toMatchObject({ to: '5', endedAt: new Date(w.clock.now).toISOString() });
});

it('a rollback by a person while the deploy waited for the gate: who it was and why stays, also once the stack is back', async () => {
  const w = await live();
  w.gates.set('4', [{ state: { done: 1, count: 9, failed: [] }, failures: [] }]);
  await deploy(w, '4', 'b');
  await w.command('rollback', { reason: 'odd' });
  expect(w.answers.at(-1)).toMatchObject({ Status: 'FAILED' });
  await rollBack(w, '3', 'a', '4');
  w.stack.state = 'done';
  await minute(w, GOOD);
  expect(w.state()).toMatchObject({ phase: 'ABORTED', refused: [{ version: '4' }] });
  expect((await history(w))[0]?.reason).toBe(
    'version 4 was rolled back: asked for by arn:aws:iam::1:user/me: odd; the stack rolled back; version 3 keeps all traffic',
  );
});

it('why an earlier release was rolled back is not why another one’s stack went back', async () => {
  const w = await deployed();
  await w.command('rollback', { reason: 'odd' });
  await deploy(w, '5', 'c', { before: '4' });
  await rollBack(w, '4', 'b', '5');
  w.stack.state = 'done';
  await minute(w, GOOD);
  expect((await history(w))[0]?.reason).toBe('the stack rolled back; version 3 keeps all traffic');
});

describe('a model that was removed', () => {
  const gone = async (w: World): Promise<readonly Past[]> => {
    await w.send({ ...request('Delete', '4', 'b'), PhysicalResourceId: `${FUNCTION}:live` });
    return readHistory(w.world.registry, 'churn', 5, async () => false);
  };

  it('in mid-release: nothing of it is under way', async () => {
    const w = await deployed();
    await minutes(w, 3, GOOD);
    const pasts = await gone(w);
    expect(pasts[0]).toMatchObject({ to: '4', outcome: 'under way when the model was removed', gone: true });
    expect(pasts[1]).not.toHaveProperty('gone');
    expect(historyText('churn', pasts)).toMatch(
      /^churn: is not deployed any more, its function is gone\.\n .* version 3 → 4 {2}under way when the model was removed\n/,
    );
  });

  it('afterwards: each release ended as it did', async () => {
    const w = await promoted();
    const [last] = await gone(w);
    expect(last).toMatchObject({ outcome: 'promoted', gone: true });
  });

  it('is not taken for gone by who may not ask', async () => {
    const w = await deployed();
    await minutes(w, 3, GOOD);
    const denied = (): Promise<boolean> => Promise.reject(new Error('AccessDenied'));
    const [last] = await readHistory(w.world.registry, 'churn', 1, denied);
    expect(last).toMatchObject({ outcome: 'under way' });
    expect(last).not.toHaveProperty('gone');
  });
});

describe('what a newer plugin wrote, or what is damaged', () => {
  const replaced = async (text: (before: string) => string, ...keys: readonly RegExp[]) => {
    const w = await promoted();
    await deploy(w, '5', 'c', { before: '4' });
    for (const [key, { text: before }] of [...w.objects.objects])
      if (keys.some((one) => one.test(key))) w.objects.set(key, text(before));
    const { pasts, unread, older } = await historyOf(w.world.registry, 'churn', 10);
    return {
      count: pasts.length,
      text: historyText('churn', pasts, unshown('churn', unread, older, 10)),
    };
  };
  const newer = (before: string): string => JSON.stringify({ ...JSON.parse(before), schema: 2 });
  const LIVE_DOCUMENT = /releases\/churn\/live\.json$/;
  const RELEASES = /releases\/churn\/(live|\d)[^/]*\.json$/;

  it.each([
    ['newer', newer],
    ['damaged', () => '{'],
  ])('is counted: %s', async (_, text) => {
    expect(await replaced(text, RELEASES)).toEqual({
      count: 0,
      text: 'churn: 3 releases cannot be read: a newer version of the plugin wrote them, or they are damaged.',
    });
    const { count, text: told } = await replaced(text, LIVE_DOCUMENT);
    expect(count).toBe(2);
    expect(told).toMatch(
      /\n {2}1 release cannot be read: a newer version of the plugin wrote it, or it is damaged\.$/,
    );
  });

  it('takes nothing of the others where it is a record of a version or of a deploy', async () => {
    const { count, text } = await replaced(() => '{', /versions\/churn\//, /deployments\//);
    expect(count).toBe(3);
    expect(text).not.toContain('cannot be read');
  });
});

it('says how many releases are older than those that it shows, and how to see them', async () => {
  const w = await promoted();
  await deploy(w, '5', 'c', { before: '4' });
  const left = async (limit: number): Promise<readonly string[]> => {
    const { unread, older } = await historyOf(w.world.registry, 'churn', limit);
    return unshown('churn', unread, older, limit);
  };
  expect(await left(1)).toEqual([
    '2 older releases are not shown here: `sls models history --model churn --limit 3` shows all.',
  ]);
  expect(await left(2)).toEqual([
    '1 older release is not shown here: `sls models history --model churn --limit 3` shows all.',
  ]);
  expect(await left(3)).toEqual([]);
  const text = historyText('churn', await history(w, 1), await left(1));
  expect(text).toMatch(/\n {2}2 older releases are not shown here: .*$/);
});
