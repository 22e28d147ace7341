import { describe, expect, it } from 'vitest';
import type { AliasState } from '../../../../core/ports/aws.ts';
import type { Release } from '../../../../core/release/document/contract.ts';
import { ALARMS } from '../../../../core/release/document/worker-contract.ts';
import { readStatus } from '../../../../plugins/models/releases/read-status.ts';
import { sayOf } from '../../../../plugins/models/releases/session.ts';
import { statusOf } from '../../../../plugins/models/releases/status.ts';
import { outcomeOf } from '../../../../plugins/models/releases/words/outcome.ts';
import { CANARY } from '../../../fakes/settings.ts';
import { FUNCTION, LIVE, tick } from '../../../fakes/world.ts';
import { statusIn, textIn } from './seen.ts';
import {
  alarm,
  deploy,
  deployed,
  due,
  live,
  MINUTE,
  minute,
  minutes,
  promoted,
  rollBack,
  until,
  type World,
} from './traffic.ts';

/** "OK, nothing to do" is never printed over something that nobody sees to. */

const GOOD = { 3: 0.01, 4: 0.01 };
const head = async (w: World): Promise<string> => (await textIn(w)).split('\n')[0] ?? '';
const forget = (w: World): void => {
  w.objects.objects.delete(LIVE);
};

/** As somebody does who has the permission. */
async function move(w: World, version: string, weights: Readonly<Record<string, number>>): Promise<void> {
  const { revision = '' } = (await w.world.aliases.get(FUNCTION, 'live')) ?? {};
  await w.world.aliases.update(FUNCTION, 'live', { version, weights, description: '' }, revision);
}

describe('an alarm that somebody deleted', () => {
  it('is told while a version is watched, since it would bring nothing back', async () => {
    const w = await deployed();
    await until(w, 'BAKING', GOOD);
    expect((await statusIn(w)).level).toBe('ok');
    w.alarms.delete(`${FUNCTION}-${ALARMS.errors}`);
    expect(await head(w)).toBe(
      `churn: LOOK, not urgent. Version 4 has all traffic. ${FUNCTION}-errors is not there: somebody deleted it, so it tells nobody, and no version is brought back by the alarm errors.`,
    );
    w.alarms.delete(`${FUNCTION}-${ALARMS.release}`);
    const { summary, todo } = await statusIn(w);
    expect(summary).toContain(
      `${FUNCTION}-errors, ${FUNCTION}-release are not there: somebody deleted them, so they tell nobody, and no version is brought back by the alarm errors.`,
    );
    expect(todo).toEqual(['No deploy makes a deleted alarm again: docs/alarms.md says what does.']);
  });

  it('that only tells people is not told to bring versions back', async () => {
    const w = await deployed();
    await until(w, 'BAKING', GOOD);
    w.alarms.delete(`${FUNCTION}-${ALARMS.throttles}`);
    expect(await head(w)).toContain(
      `${FUNCTION}-throttles is not there: somebody deleted it, so it tells nobody.`,
    );
  });

  it('is told in the first canary of a model, and once that is rolled back', async () => {
    const w = await deployed();
    await minutes(w, 3, GOOD);
    w.alarms.delete(`${FUNCTION}-${ALARMS.crashes}`);
    expect(await head(w)).toContain(`${FUNCTION}-crashes is not there: somebody deleted it`);
    await w.command('rollback');
    expect(await head(w)).toContain(`${FUNCTION}-crashes is not there: somebody deleted it`);
  });

  it('is not missed in the hour of a first deploy, whose stack makes it later', async () => {
    const w = await live();
    w.alarms.delete(`${FUNCTION}-${ALARMS.errors}`);
    expect((await statusIn(w)).level).toBe('ok');
    w.clock.now += 61 * MINUTE;
    expect((await statusIn(w)).level).toBe('look');
  });
});

describe('without a document', () => {
  it('weights: now, with the command that takes them away', async () => {
    const w = await deployed();
    await minutes(w, 3, GOOD);
    forget(w);
    expect(await textIn(w)).toMatchInlineSnapshot(`
      "churn: ACT NOW. The alias points to version 3 (4: 5 %); no release is recorded. Nobody judges these weights, and nobody will take them away.
        to do      Take them away: \`aws lambda update-alias --function-name shop-dev-churn --name live --routing-config 'AdditionalVersionWeights={}'\` gives version 3 all traffic.
                   Then \`sls deploy --stage dev\` records it again and goes on from where the alias is.
        traffic    version 3  ███████████████████░    95 %
                   version 4  █░░░░░░░░░░░░░░░░░░░     5 %"
    `);
  });

  it('the alias alone: at daytime', async () => {
    const w = await live();
    forget(w);
    expect(await textIn(w)).toMatchInlineSnapshot(`
      "churn: LOOK, not urgent. The alias points to version 3; no release is recorded. No alarm would bring a version back.
        to do      \`sls deploy --stage dev\` records it again and goes on from where the alias is.
        traffic    version 3  ████████████████████   100 %"
    `);
  });

  it.each([
    [ALARMS.errors, 'act'],
    [ALARMS.throttles, 'look'],
  ])('an alarm that is on, %s: %s', async (suffix, level) => {
    const w = await live();
    forget(w);
    w.alarms.set(`${FUNCTION}-${suffix}`, 'ALARM');
    const status = await statusIn(w);
    expect(status).toMatchObject({ level });
    expect(status.summary).toContain(`${FUNCTION}-${suffix} is on since`);
  });
});

describe('a release that nobody ticks', () => {
  it('held with a weight: now', async () => {
    const w = await deployed();
    await minutes(w, 3, GOOD);
    await w.command('hold');
    expect(await head(w)).toMatch(/^churn: LOOK/);
    w.clock.now += 26 * 60 * MINUTE;
    expect(await head(w)).toMatch(/^churn: ACT NOW\. Nobody has ticked this release since/);
  });

  it('without a weight, since the stack is not done or its schedule is lost: at daytime', async () => {
    const w = await deployed();
    w.stack.state = 'busy';
    const { phase } = w.state() ?? {};
    expect(phase).toBe('SHIFTING');
    w.clock.now += 30 * MINUTE;
    expect(await head(w)).toMatch(/^churn: OK/);
    w.clock.now += 40 * MINUTE;
    expect(await head(w)).toMatch(
      /^churn: LOOK, not urgent\. .* Nothing has happened to it since .*: the stack is not done yet, or nobody ticks it\./,
    );
  });
});

describe('a release whose alias somebody deleted', () => {
  const todo = async (w: World): Promise<readonly string[]> => (await statusIn(w)).todo;

  it('and that nobody ticks: with the command that ticks it', async () => {
    const w = await deployed();
    await minutes(w, 3, GOOD);
    w.aliases.byHand(FUNCTION, 'live', undefined);
    expect(await todo(w)).toEqual(['The worker makes it again at its next tick.']);
    w.schedules.clear();
    w.clock.now += 20 * MINUTE;
    expect((await todo(w)).join()).toMatch(
      /^Nobody has ticked this release since .*\. `sls models status --model churn --stage dev --watch` does, and the worker makes it again\.$/,
    );
    await w.send(tick());
    expect(w.target()).toEqual({ version: '3', weights: { '4': 0.05 } });
  });
});

describe('a release that is ticked, and waits', () => {
  const lines = async (w: World, count: number): Promise<string> => {
    const heads: string[] = [];
    for (let done = 0; done < count; done += 1) {
      await minute(w, GOOD);
      heads.push(await head(w));
    }
    return heads.join('\n');
  };

  it('for instances of the last good version, after an alarm: it is not told as one that nobody ticks', async () => {
    const capacity = { provisioned: { min: 2, max: 4, target: 0.7 }, schedules: [] };
    const settings = { ...CANARY, steps: [], capacity };
    const w = await live(settings, { readyAfter: 7 * MINUTE });
    await minutes(w, 8, GOOD);
    await deploy(w, '4', 'b', { settings });
    await minutes(w, 8, GOOD);
    w.stack.state = 'done';
    await until(w, 'BAKING', GOOD);
    await minutes(w, 10, GOOD);
    await alarm(w);
    expect(await lines(w, 7)).not.toContain('ticked');
    expect(w.state()).toMatchObject({ phase: 'REVERSING', reversal: { half: {} } });
  });

  it('for the stack, with a move that is written and not made', async () => {
    let dies = false;
    const w = await live(CANARY, {
      chaos: async (point) => {
        if (dies && point === 'before update alias') throw new Error('killed');
      },
    });
    await deploy(w, '4', 'b');
    w.stack.state = 'done';
    dies = true;
    await expect(minute(w)).rejects.toThrow('killed');
    dies = false;
    expect(w.state()?.intent).toBeDefined();
    w.stack.state = 'busy';
    expect(await lines(w, 9)).not.toContain('ticked');
    expect(w.state()).toMatchObject({ phase: 'SHIFTING', intent: {} });
  });
});

describe('an alarm beside it', () => {
  it('over a release that is held: now', async () => {
    const w = await deployed();
    await minutes(w, 3, GOOD);
    await w.command('hold');
    w.alarms.set(`${FUNCTION}-${ALARMS.crashes}`, 'ALARM');
    expect(await head(w)).toMatch(/^churn: ACT NOW\. .*-crashes is on since .* is held at 5 %/);
  });

  it('of a live version that was not tried beside the one before is not told to have acquitted it', async () => {
    const w = await promoted({ ...CANARY, dryRun: true });
    await alarm(w);
    const text = await textIn(w);
    expect(text).toMatch(/^churn: ACT NOW/);
    expect(text).toContain('alarms bring no version back until');
    expect(text).not.toMatch(/to blame|was tried/);
  });

  it('that tells of the releases themselves: it does not go off by itself after half an hour', async () => {
    const w = await live();
    w.alarms.set(`${FUNCTION}-${ALARMS.release}`, 'ALARM');
    expect((await statusIn(w)).todo.join()).toContain('goes off by itself within half an hour');
    w.clock.now += 31 * MINUTE;
    expect((await statusIn(w)).todo.join()).toMatch(
      /does not go off by itself: see .*models-release.* sweep/,
    );
  });

  it('that tells of a sweep that stays away, and of no release: it is not to be waited out', async () => {
    const w = await live();
    w.clock.now += 45 * MINUTE;
    w.alarms.set(`${FUNCTION}-${ALARMS.release}`, 'ALARM');
    expect((await statusIn(w)).todo.join()).toMatch(
      /does not go off by itself: see .*models-release.* sweep/,
    );
  });

  it('that tells of a sweep that stays away since a rollback: that is not what it tells of', async () => {
    const w = await deployed();
    await until(w, 'ROLLED_BACK', { 3: 0.02, 4: 0.5 });
    w.alarms.set(`${FUNCTION}-${ALARMS.release}`, 'ALARM');
    // That of the rollback itself, which its own line tells.
    expect((await statusIn(w)).summary).not.toContain('-release is on');
    const isTold = async (): Promise<void> => {
      const { level, summary, todo } = await statusIn(w);
      expect(level).toBe('look');
      expect(summary).toMatch(/was rolled back.*-release is on since/);
      expect(todo.join()).toMatch(/does not go off by itself: see .*models-release.* sweep/);
    };
    w.clock.now += 31 * MINUTE;
    await isTold();
    w.alarms.set(`${FUNCTION}-${ALARMS.release}`, 'OK');
    w.clock.now += 5 * 60 * MINUTE;
    expect((await statusIn(w)).summary).not.toContain('-release is on');
    w.alarms.set(`${FUNCTION}-${ALARMS.release}`, 'ALARM');
    await isTold();
  });

  it('that tells of a hold: it goes off within half an hour of its end, however long it was on', async () => {
    for (const verb of ['resume', 'promote'] as const) {
      const w = await deployed();
      for (let done = 0; done < 200 && w.state()?.phase !== 'HELD'; done += 1)
        await minute(w, GOOD, { perMinute: 1 });
      expect(w.state()).toMatchObject({ phase: 'HELD', held: { by: 'nodata' } });
      w.alarms.set(`${FUNCTION}-${ALARMS.release}`, 'ALARM');
      await minutes(w, 8 * 60, GOOD, { perMinute: 1 });
      expect(await w.command(verb)).toMatchObject({ done: true });
      await minutes(w, 5, GOOD);
      expect((await statusIn(w)).todo.join()).toContain('goes off by itself within half an hour');
      // By then the steps that were left are over, too.
      await minutes(w, 70, GOOD);
      expect((await statusIn(w)).todo.join()).toContain('does not go off by itself');
    }
  });
});

describe('weights without a release that runs', () => {
  it('after its end', async () => {
    const w = await live();
    await move(w, '3', { 5: 0.25 });
    expect(await textIn(w)).toMatchInlineSnapshot(`
      "churn: ACT NOW. The alias points to version 3 (5: 25 %), which no release did (version 3 is recorded).
        to do      Find out who moved it.
                   \`sls models rollback --model churn --stage dev --to 3\` puts it back.
                   \`aws lambda update-alias --function-name shop-dev-churn --name live --routing-config 'AdditionalVersionWeights={}'\` takes only the weights away, without the worker.
                   \`sls deploy --stage dev\` goes on from where it is.
        traffic    version 3  ███████████████░░░░░    75 %  live
                   version 5  █████░░░░░░░░░░░░░░░    25 %  not of this release
        gate       pass: it starts
        release    DONE, canary, begun 00:00:00 UTC (20 s ago)"
    `);
    // The advice works.
    expect(await w.command('rollback', { to: '3' })).toMatchObject({ done: true });
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect((await statusIn(w)).level).toBe('ok');
  });

  it('while the live version is watched', async () => {
    const w = await promoted();
    await move(w, '4', { 3: 0.5 });
    expect((await statusIn(w)).level).toBe('act');
  });

  it('a rollback that was written and never made: its worker died, and nobody ticks', async () => {
    let dead = false;
    const w = await deployed(CANARY, {
      chaos: async (point) => {
        if (dead && point === 'before update alias') throw new Error('died');
      },
    });
    await minutes(w, 3, GOOD);
    dead = true;
    await w.command('rollback').catch(() => undefined);
    expect(w.state()?.intent).toBeDefined();
    w.clock.now += 6 * MINUTE;
    const status = await statusIn(w);
    expect(status.level).toBe('act');
    expect(status.summary).toMatch(
      /^Nobody has ticked this release since .*\. The alias points to version 3 \(4: 5 %\); it is on its way to version 3\.$/,
    );
  });

  it('an alias that points elsewhere is told with the way back', async () => {
    const w = await live();
    await move(w, '5', {});
    const { level, todo } = await statusIn(w);
    expect(level).toBe('look');
    expect(todo.join(' ')).toContain('`sls models rollback --model churn --stage dev --to 3` puts it back.');
    expect(todo.join(' ')).not.toContain('aws lambda');
  });
});

describe('an alarm', () => {
  it.each(Object.values(ALARMS))('%s', async (suffix) => {
    const w = await live();
    w.alarms.set(`${FUNCTION}-${suffix}`, 'ALARM');
    const { level, alarms } = await statusIn(w);
    expect(level).not.toBe('ok');
    expect(alarms).toHaveLength(1);
  });

  it.each([
    ['with a document', false],
    ['without', true],
  ])('that cannot be read, %s', async (_, isForgotten) => {
    const w = await live();
    if (isForgotten) forget(w);
    const alarms = { states: () => Promise.reject(new Error('AccessDenied')) };
    const { aliases, capacity, registry } = w.world;
    const target = { model: 'churn', functionName: FUNCTION, alias: 'live' };
    const exists = async (): Promise<boolean> => true;
    const sight = { aliases, alarms, capacity, exists, published: exists, stacked: exists, close: () => {} };
    const seen = await readStatus(sight, registry, target);
    const status = statusOf(seen, w.clock.now, sayOf('churn', 'dev'));
    expect(status.level).toBe('look');
    if (!isForgotten) expect(status.todo.join(' ')).toContain('`cloudwatch:DescribeAlarms`');
  });
});

describe('a candidate that cannot be judged', () => {
  /** All of its requests are refused: it is invoked, and counts nothing. */
  async function silent(w: World): Promise<void> {
    const side = { invocations: 150, crashes: 0 };
    w.metrics.add(FUNCTION, 'live', '4', w.clock.now, side);
    w.metrics.add(FUNCTION, 'live', '3', w.clock.now, {
      invocations: 2850,
      crashes: 0,
      requests: 2850,
      errors: 0,
    });
    w.clock.now += MINUTE;
    await due(w);
  }

  it('within its bake: at daytime, and why', async () => {
    const w = await deployed();
    await minute(w);
    for (let done = 0; done < 5; done += 1) await silent(w);
    expect(await textIn(w)).toMatch(
      /^churn: LOOK, not urgent\. Version 4 has 5 %, step 1 of 3\. It cannot be judged: the candidate version served \d+ requests and counted none of them itself: are its metrics not written/,
    );
    expect((await statusIn(w)).todo).toEqual([
      'Until it can be judged, version 4 is not rolled back for what it answers: find out what its callers get.',
      '`sls models rollback --model churn --stage dev` takes it away, `sls models promote --model churn --stage dev` gives it all traffic.',
    ]);
  });

  it('past its bake: now', async () => {
    const w = await deployed();
    await minute(w);
    for (let done = 0; done < 12; done += 1) await silent(w);
    expect(w.state()?.phase).toBe('JUDGING');
    expect(await head(w)).toMatch(/^churn: ACT NOW\. Version 4 has 5 %, step 1 of 3\. It cannot be judged/);
  });
});

it('a move that AWS does not take is nobody else’s: its words are told, with the way out', async () => {
  const w = await promoted();
  const refused = `Function not found: ${FUNCTION}:3`;
  // Somebody deletes the last good version as it is brought back.
  const { update } = w.aliases.port;
  Object.assign(w.aliases.port, { update: async () => ({ refused }) });
  expect(await w.command('rollback')).toMatchObject({ tick: { phase: 'HELD', reason: refused } });
  await minutes(w, 1);
  expect(w.state()).toMatchObject({ phase: 'HELD', held: { by: 'refused' }, reason: refused });
  expect(w.notices.map(({ subject }) => subject)).toEqual(['[page] churn: the release is held']);
  const { level, summary, todo } = await statusIn(w);
  expect([level, summary]).toEqual([
    'act',
    `AWS does not take the move of the alias to version 3: ${refused}.`,
  ]);
  expect(todo[0]).toContain('rollback --model churn --stage dev --to <version>');
  expect(outcomeOf('a', { release: w.state() as Release, alias: w.alias() as AliasState })).toEqual({
    is: 'none',
    why: refused,
  });
  Object.assign(w.aliases.port, { update });
  await w.command('rollback', { to: '4' });
  expect(w.target()).toEqual({ version: '4', weights: {} });
});

describe('an alias and its version that somebody deleted', () => {
  it('are told with the one way back: nobody makes them again', async () => {
    const w = await promoted();
    w.aliases.byHand(FUNCTION, 'live', undefined);
    w.aliases.unpublish(FUNCTION, '4');
    await minutes(w, 1);
    expect(w.notices.at(-1)?.text).toContain(
      'What to do: "sls models rollback --model churn --to <version> --stage dev --region us-east-1", which gives all traffic to a version that is there.',
    );
    const { level, summary, todo } = await statusIn(w);
    expect([level, summary]).toEqual([
      'act',
      'The alias is gone, and callers get errors; AWS does not make it again: Function not found: shop-dev-churn:4.',
    ]);
    expect(todo).toEqual([
      '`sls models rollback --model churn --stage dev --to 3` gives version 3 all traffic; it was live before.',
    ]);
    expect(await w.command('rollback', { to: '3' })).toMatchObject({ done: true, tick: { version: '3' } });
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });

  it('are told without a version where none is known', async () => {
    const w = await live();
    w.aliases.byHand(FUNCTION, 'live', undefined);
    w.aliases.unpublish(FUNCTION, '3');
    await w.send(tick());
    expect((await statusIn(w)).todo).toEqual([
      '`sls models rollback --model churn --stage dev --to <version>` gives all traffic to a version that is there.',
    ]);
  });
});

describe('--force', () => {
  const forced = '--force';
  it('is not advised for an alias that is gone', async () => {
    const w = await live();
    await w.world.aliases.remove(FUNCTION, 'live');
    expect((await statusIn(w)).todo).toEqual(['`sls deploy --stage dev` makes it again.']);
  });

  it('is not advised after a release that was given up, where nothing is refused', async () => {
    const w = await deployed();
    w.stack.state = 'busy';
    await rollBack(w, '3', 'a', '4');
    expect(JSON.stringify((await statusIn(w)).todo)).not.toContain(forced);
  });

  it('is advised for what was rolled back, and not once its refusal is gone', async () => {
    const w = await deployed();
    await until(w, 'ROLLED_BACK', { 3: 0.01, 4: 0.2 });
    expect(JSON.stringify((await statusIn(w)).todo)).toContain(forced);
    const state = w.state();
    const found = await w.world.registry.release('churn');
    if (state === undefined) throw new Error('no document');
    await w.world.registry.move({ ...state, refused: [] }, found?.etag);
    expect(JSON.stringify((await statusIn(w)).todo)).not.toContain(forced);
  });
});
