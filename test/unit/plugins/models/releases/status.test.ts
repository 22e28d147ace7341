import { describe, expect, it } from 'vitest';
import { ALARMS } from '../../../../../core/release/document/worker-contract.ts';
import { sayOf } from '../../../../../plugins/models/releases/session.ts';
import { statusOf } from '../../../../../plugins/models/releases/status.ts';
import { statusLine, statusText } from '../../../../../plugins/models/releases/status-text.ts';
import { CANARY, SETTINGS } from '../../../../fakes/settings.ts';
import { FUNCTION, fakeWorld } from '../../../../fakes/world.ts';
import { statusIn, textIn } from '../../../core/release/seen.ts';
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
} from '../../../core/release/traffic.ts';
import { generated } from '../../../docs/pages.ts';

const headIn = async (w: World): Promise<string> => (await textIn(w)).split('\n')[0] ?? '';
const GOOD = { 3: 0.01, 4: 0.01 };

describe('at three in the morning', () => {
  it('nothing is deployed', async () => {
    expect(await textIn(fakeWorld())).toMatchInlineSnapshot(`
      "churn: LOOK, not urgent. It is not deployed.
        to do      Run \`sls deploy\`, or name another --stage or --region."
    `);
  });

  it('a first version is live', async () => {
    expect(await textIn(await live())).toMatchInlineSnapshot(`
      "churn: OK, nothing to do. Version 3 has all traffic.
        traffic    version 3  ████████████████████   100 %  live
        gate       pass: it starts
        release    DONE, canary, begun 00:00:00 UTC (20 s ago)"
    `);
  });

  it('the gate is under way, and the answer URL is not shown', async () => {
    const w = await live();
    w.gates.set('4', [{ state: { done: 1, count: 9, failed: [] }, failures: [] }]);
    await deploy(w, '4', 'b');
    expect(w.state()?.request?.url).toContain('signature');
    expect(await textIn(w)).toMatchInlineSnapshot(`
      "churn: OK, nothing to do. Version 4 is checked before it gets any traffic; version 3 has all traffic.
        traffic    version 3  ████████████████████   100 %  stable
        next       its instances, then traffic
        gate       under way: 1 of 9 cases
        release    GATING, canary, begun 00:00:00 UTC (20 s ago)"
    `);
  });

  it('instances are started', async () => {
    const settings = {
      ...CANARY,
      capacity: { provisioned: { min: 2, max: 4, target: 0.7 }, schedules: [] },
    };
    const w = await live(settings, { readyAfter: 5 * MINUTE });
    w.stack.state = 'busy';
    await deploy(w, '4', 'b', { settings });
    await minute(w);
    expect(await textIn(w)).toMatchInlineSnapshot(`
      "churn: OK, nothing to do. Instances of version 4 are started; there is no live version yet.
        next       traffic, once they are ready
        gate       pass: it starts
        capacity   version 4: 0 of 2 instances ready
        release    WARMING, canary, begun 00:00:00 UTC (80 s ago)"
    `);
  });

  it('the stack is still busy', async () => {
    const w = await live();
    await deploy(w, '4', 'b');
    await minute(w);
    expect(await textIn(w)).toMatchInlineSnapshot(`
      "churn: OK, nothing to do. Version 4 is about to get 5 % (step 1 of 3).
        traffic    version 3  ████████████████████   100 %  stable
        next       5 % as soon as the stack is done
        step       1 of 3: 5 %
        gate       pass: it starts
        release    SHIFTING, canary, begun 00:00:00 UTC (80 s ago)"
    `);
  });

  it('a step is judged', async () => {
    const w = await deployed();
    await until(w, 'JUDGING', GOOD);
    await minutes(w, 14, GOOD);
    expect(await textIn(w)).toMatchInlineSnapshot(`
      "churn: OK, nothing to do. Version 4 has 25 %, step 2 of 3.
        traffic    version 3  ███████████████░░░░░    75 %  stable
                   version 4  █████░░░░░░░░░░░░░░░    25 %  candidate
        next       50 % (step 3 of 3), not before 00:21:00 UTC (in 6 min), if it passes; without a verdict by 02:21:00 UTC (in 2 h 6 min) it is held for you
        step       2 of 3: 25 %, since 00:11:00 UTC (4 min ago), bakes until 00:21:00 UTC (in 6 min)
        judged     step 1, 00:11:00 UTC (4 min ago): pass: 7 of 350 (2 %) candidate requests failed; errors have risen by at most 3 percentage points, the next weight allows 4 percentage points
                   step 2, 00:15:00 UTC (20 s ago): no verdict: no regression so far; the step’s time is not over
                     errors    no verdict  candidate 12 of 700 (1.7 %), stable 98 of 9,300 (1.1 %)
                                           evidence that it is worse 0.96 to 1; 40 to 1 rolls back
                                           may have risen by 1.9 percentage points; less than 2 percentage points passes
                     rejected  pass        candidate 0 of 700 (0 %), stable 0 of 9,300 (0 %)
                                           evidence that it is worse 1 to 1; 160 to 1 rolls back
        latency    is not judged: no objective, or another one than the stable version counts by
        gate       pass: it starts
        release    JUDGING, canary, begun 00:00:00 UTC (15 min ago)"
    `);
  });

  it('a topic that takes no notice is told, and nobody sleeps on', async () => {
    const w = await deployed(CANARY, {
      chaos: async (point) => {
        if (point === 'before publish') throw new Error('KMSAccessDenied');
      },
    });
    await until(w, 'BAKING', GOOD);
    expect((await statusIn(w)).level).toBe('ok');
    await minutes(w, 20, GOOD);
    const { level, summary, todo } = await statusIn(w);
    expect([level, summary]).toEqual([
      'look',
      'Version 4 has all traffic. The alerts topic does not take a notice of 00:31:00 UTC (20 min ago), so nobody is told.',
    ]);
    expect(todo.at(-1)).toContain(
      'The topic must be there, and its policy, and that of its key, must let the release worker publish (docs/alarms.md)',
    );
  });

  it('a dry run does not promise what it will not do', async () => {
    const dry = { ...CANARY, dryRun: true };
    const w = await deployed(dry);
    await until(w, 'JUDGING', GOOD);
    await w.command('hold');
    const held = await statusIn(w);
    expect(held.next).toBe('nothing by itself, also if it fails: dry run');
    const live = await statusIn(await promoted(dry));
    expect(live.next).toMatch(/: an alarm pages, and does not bring version 3 back: dry run$/);
  });

  it('is what docs/release.md shows', async () => {
    const w = await deployed();
    await minutes(w, 15, GOOD);
    const { found, wanted } = generated('docs/release.md', 'status', `\`\`\`\n${await textIn(w)}\n\`\`\``);
    expect(found).toBe(wanted);
  });

  it('a step has no requests', async () => {
    const w = await deployed();
    await minutes(w, 12);
    expect(await textIn(w)).toMatchInlineSnapshot(`
      "churn: OK, nothing to do. Version 4 has 25 %, step 2 of 3.
        traffic    version 3  ███████████████░░░░░    75 %  stable
                   version 4  █████░░░░░░░░░░░░░░░    25 %  candidate
        next       50 % (step 3 of 3), not before 00:21:00 UTC (in 9 min), if it passes; without a verdict by 02:21:00 UTC (in 2 h 9 min) it is held for you
        step       2 of 3: 25 %, since 00:11:00 UTC (80 s ago), bakes until 00:21:00 UTC (in 9 min)
        judged     step 1, 00:11:00 UTC (80 s ago): pass: 0 of 350 (0 %) candidate requests failed; errors have risen by at most 1.1 percentage points, the next weight allows 4 percentage points
                   step 2, 00:12:00 UTC (20 s ago): no verdict: no regression so far; the step’s time is not over
                     errors    no verdict  candidate 0 of 400 (0 %), stable 0 of 7,600 (0 %)
                                           evidence that it is worse 1 to 1; 40 to 1 rolls back
                                           may have risen by 0.95 percentage points; less than 2 percentage points passes
                     rejected  pass        candidate 0 of 400 (0 %), stable 0 of 7,600 (0 %)
                                           evidence that it is worse 1 to 1; 160 to 1 rolls back
        latency    is not judged: no objective, or another one than the stable version counts by
        gate       pass: it starts
        release    JUDGING, canary, begun 00:00:00 UTC (12 min ago)"
    `);
  });

  it('a version of an older plugin is live, whose refused requests are not known', async () => {
    const { rejected: _, ...older } = CANARY;
    const w = await live(older);
    await deploy(w, '4', 'b');
    w.stack.state = 'done';
    await minutes(w, 5, { 3: 0, 4: 0.4 }, { refuse: true });
    const text = await textIn(w);
    expect(text).toMatch(
      /^ {2}refusals {3}are not judged: one of the versions does not count its refused requests$/m,
    );
    expect(text).not.toContain('rejected');
    expect((await statusIn(w)).rejectedJudged).toBe(false);
  });

  it('a candidate refuses what the stable version serves', async () => {
    const w = await deployed();
    await until(w, 'ROLLED_BACK', { 3: 0, 4: 0.4 }, { refuse: true });
    expect(await textIn(w)).toMatch(
      /FAIL: rejected: 40 of 100 \(40 %\) of the candidate version’s requests were refused, 0 of 1,900 .*\n[\s\S]*\n +rejected +FAIL +candidate 40 of 100 \(40 %\), stable 0 of 1,900 \(0 %\)\n +evidence that it is worse .* to 1; 160 to 1 rolls back/,
    );
  });

  it('a dry run says so', async () => {
    const w = await deployed({ ...CANARY, dryRun: true });
    await minutes(w, 3, GOOD);
    expect(await textIn(w)).toMatch(/whatever is found: dry run[\s\S]*JUDGING \(dry run\)/);
  });

  it('nobody ticks', async () => {
    const w = await deployed();
    await minutes(w, 3, GOOD);
    w.clock.now += 8 * MINUTE;
    expect(await headIn(w)).toMatchInlineSnapshot(
      `"churn: ACT NOW. Nobody has ticked this release since 00:03:00 UTC (8 min ago). Version 4 has 5 %, step 1 of 3."`,
    );
  });

  it('it is watched after promotion', async () => {
    expect(await textIn(await promoted())).toMatchInlineSnapshot(`
      "churn: OK, nothing to do. Version 4 has all traffic.
        traffic    version 4  ████████████████████   100 %  live
        next       watched until 2026-01-02 00:31:00 UTC (in 23 h 59 min): an alarm may bring version 3 back
        judged     step 1, 00:11:00 UTC (21 min ago): pass: 7 of 350 (2 %) candidate requests failed; errors have risen by at most 2.1 percentage points, the next weight allows 4 percentage points
                   step 2, 00:21:00 UTC (11 min ago): pass: 44 of 2,200 (2 %) candidate requests failed; errors have risen by at most 0.73 percentage points, the next weight allows 2 percentage points
                   step 3, 00:31:00 UTC (80 s ago): pass: 124 of 6,200 (2 %) candidate requests failed; errors have risen by at most 0.47 percentage points, the next weight allows 1 percentage point
        gate       pass: it starts
        release    BAKING, canary, begun 00:00:00 UTC (32 min ago)"
    `);
  });

  it('an alarm came on, and the last good version is tried', async () => {
    const w = await promoted();
    await alarm(w);
    await minutes(w, 4, { 3: 0.02, 4: 0.05 });
    expect(await textIn(w)).toMatchInlineSnapshot(`
      "churn: LOOK, not urgent. shop-dev-churn-errors came on; version 3, the last good one, has half of the traffic beside version 4 since 00:32:00 UTC (4 min ago).
        to do      Nothing yet: the test decides within minutes, and you are told.
        traffic    version 4  ██████████░░░░░░░░░░    50 %  live
                   version 3  ██████████░░░░░░░░░░    50 %  last good
        next       version 3 takes over if version 4 proves worse; else version 4 gets all traffic back
        judged     step 1, 00:11:00 UTC (25 min ago): pass: 7 of 350 (2 %) candidate requests failed; errors have risen by at most 2.1 percentage points, the next weight allows 4 percentage points
                   step 2, 00:21:00 UTC (15 min ago): pass: 44 of 2,200 (2 %) candidate requests failed; errors have risen by at most 0.73 percentage points, the next weight allows 2 percentage points
                   step 3, 00:31:00 UTC (5 min ago): pass: 124 of 6,200 (2 %) candidate requests failed; errors have risen by at most 0.47 percentage points, the next weight allows 1 percentage point
        reversed   00:36:00 UTC (20 s ago): no verdict: errors: 25 of 500 (5 %) of the live version’s requests failed, 10 of 500 (2 %) of the last good version’s: 3 percentage points more at the same mix of steps; evidence 4.8 to 1, 20 to 1 is needed
                     errors  no verdict  version 4 25 of 500 (5 %), version 3 10 of 500 (2 %)
                                         evidence that it is worse 4.8 to 1; 20 to 1 rolls back
        gate       pass: it starts
        reason     shop-dev-churn-errors is on: version 3 is tried beside version 4
        alarms     shop-dev-churn-errors is on since 00:32:00 UTC (4 min ago)
        release    REVERSING, canary, begun 00:00:00 UTC (36 min ago)"
    `);
  });

  it('the live version was not to blame, and the alarm stays on', async () => {
    const w = await promoted();
    await alarm(w);
    await until(w, 'BAKING', { 3: 0.3, 4: 0.3 });
    expect(await textIn(w)).toMatchInlineSnapshot(`
      "churn: ACT NOW. shop-dev-churn-errors is on since 00:32:00 UTC (13 min ago). Version 4 has all traffic.
        to do      Version 4 is not to blame: errors: 1,500 of 5,000 (30 %) of the live version’s requests failed, 1,500 of 5,000 (30 %) of the last good version’s: 0 percentage points more at the same mix of steps; evidence 0.05 to 1, 20 to 1 is needed. Look at its inputs and what it calls.
                   \`sls models rollback --model churn --stage dev\` goes back to version 3.
        traffic    version 4  ████████████████████   100 %  live
        next       watched until 2026-01-02 00:31:00 UTC (in 23 h 46 min): an alarm may bring version 3 back
        judged     step 1, 00:11:00 UTC (34 min ago): pass: 7 of 350 (2 %) candidate requests failed; errors have risen by at most 2.1 percentage points, the next weight allows 4 percentage points
                   step 2, 00:21:00 UTC (24 min ago): pass: 44 of 2,200 (2 %) candidate requests failed; errors have risen by at most 0.73 percentage points, the next weight allows 2 percentage points
                   step 3, 00:31:00 UTC (14 min ago): pass: 124 of 6,200 (2 %) candidate requests failed; errors have risen by at most 0.47 percentage points, the next weight allows 1 percentage point
        gate       pass: it starts
        reason     version 4 is not to blame: errors: 1,500 of 5,000 (30 %) of the live version’s requests failed, 1,500 of 5,000 (30 %) of the last good version’s: 0 percentage points more at the same mix of steps; evidence 0.05 to 1, 20 to 1 is needed
        alarms     shop-dev-churn-errors is on since 00:32:00 UTC (13 min ago)
        quiet      alarms bring no version back until 01:45:00 UTC (in 60 min)
        release    BAKING, canary, begun 00:00:00 UTC (45 min ago)"
    `);
  });

  it('an alarm brought the last good version back, and is still on', async () => {
    const w = await promoted();
    await alarm(w);
    await until(w, 'ROLLED_BACK', { 3: 0.01, 4: 0.3 });
    const text = await textIn(w);
    expect(text).toMatch(
      /^churn: LOOK, not urgent\. Version 4 was rolled back; version 3 has all traffic\. /,
    );
    expect(text).toContain('shop-dev-churn-errors is on for what came before, and goes off by itself.');
    expect(text).toMatch(/errors +FAIL +version 4 .*, version 3 /);
    // An alarm that stays on tells of something else.
    w.clock.now += 60 * MINUTE;
    expect(await headIn(w)).toMatch(/^churn: ACT NOW/);
  });

  it('it was rolled back by the judge', async () => {
    const w = await deployed();
    await until(w, 'ROLLED_BACK', { 3: 0.01, 4: 0.2 });
    expect(await textIn(w)).toMatchInlineSnapshot(`
      "churn: LOOK, not urgent. Version 4 was rolled back; version 3 has all traffic.
        to do      No hurry: fix the model and deploy it: \`sls deploy --stage dev\`. The same one is refused until \`sls deploy --force --stage dev\`.
        traffic    version 3  ████████████████████   100 %  live
        judged     step 1, 00:06:00 UTC (20 s ago): FAIL: errors: 20 of 100 (20 %) of the candidate version’s requests failed, 20 of 1,900 (1.1 %) of the stable version’s: 19 percentage points more at the same mix of steps; evidence over a billion to 1, 40 to 1 is needed
                     errors    FAIL        candidate 20 of 100 (20 %), stable 20 of 1,900 (1.1 %)
                                           evidence that it is worse over a billion to 1; 40 to 1 rolls back
                                           may have risen by 28 percentage points; less than 4 percentage points passes
                     rejected  pass        candidate 0 of 100 (0 %), stable 0 of 1,900 (0 %)
                                           evidence that it is worse 1 to 1; 160 to 1 rolls back
        gate       pass: it starts
        refused    version 4, 00:06:00 UTC (20 s ago)
        release    ROLLED_BACK, canary, begun 00:00:00 UTC (6 min ago)"
    `);
  });

  it('the stack rolled back', async () => {
    const w = await live();
    await deploy(w, '4', 'b');
    await rollBack(w, '3', 'a', '4');
    expect(await textIn(w)).toMatchInlineSnapshot(`
      "churn: LOOK, not urgent. The release of version 4 was given up; version 3 has all traffic.
        to do      No hurry: fix what the reason says and deploy again: \`sls deploy --stage dev\`.
        traffic    version 3  ████████████████████   100 %  live
        gate       pass: it starts
        reason     the stack rolled back; version 3 keeps all traffic
        release    ABORTED, canary, begun 00:00:00 UTC (20 s ago)"
    `);
  });

  it('it is held: no data', async () => {
    const w = await deployed({ ...CANARY, maxWait: 600 });
    await until(w, 'HELD', {}, { perMinute: 0 });
    expect(await textIn(w)).toMatchInlineSnapshot(`
      "churn: LOOK, not urgent. The release of version 4 is held at 5 %; version 3 has the rest. Step 1 could not be judged within its time and 600 s more: no regression so far, but too few requests in this step: candidate 0, stable 0, each needs 100.
        to do      \`sls models promote --model churn --stage dev\` gives version 4 all traffic,
                   \`sls models rollback --model churn --stage dev\` takes it away,
                   \`sls models resume --model churn --stage dev\` goes on with the steps.
        traffic    version 3  ███████████████████░    95 %  stable
                   version 4  █░░░░░░░░░░░░░░░░░░░     5 %  candidate
        next       nothing but a rollback, if it fails; you are told once a day
        step       1 of 3: 5 %, since 00:01:00 UTC (20 min ago), bakes until 00:11:00 UTC (10 min ago)
        judged     step 1, 00:21:00 UTC (20 s ago): no verdict: no regression so far, but too few requests in this step: candidate 0, stable 0, each needs 100
                     errors    no verdict  no requests yet
                     rejected  no verdict  no requests yet
        latency    is not judged: no objective, or another one than the stable version counts by
        gate       pass: it starts
        held       in JUDGING, since 00:21:00 UTC (20 s ago)
        release    HELD, canary, begun 00:00:00 UTC (21 min ago)"
    `);
  });

  it('it is held by a person', async () => {
    const w = await deployed();
    await minutes(w, 3, GOOD);
    await w.command('hold', { reason: 'lunch' });
    expect(await headIn(w)).toMatchInlineSnapshot(
      `"churn: LOOK, not urgent. The release of version 4 is held at 5 %; version 3 has the rest."`,
    );
  });

  it('it is held before its first weight, since yesterday', async () => {
    const w = await live();
    await deploy(w, '4', 'b');
    expect(await w.command('hold')).toMatchObject({ done: true });
    w.stack.state = 'done';
    await minutes(w, 20 * 60);
    expect(await textIn(w)).toMatchInlineSnapshot(`
      "churn: LOOK, not urgent. The release of version 4 is held at 0 %; version 3 has the rest.
        to do      \`sls models promote --model churn --stage dev\` gives version 4 all traffic,
                   \`sls models rollback --model churn --stage dev\` takes it away,
                   \`sls models resume --model churn --stage dev\` goes on with the steps.
        traffic    version 3  ████████████████████   100 %  stable
        next       nothing by itself
        step       1 of 3: 5 %
        gate       pass: it starts
        reason     held by arn:aws:iam::1:user/me
        held       in SHIFTING, since 00:00:00 UTC (20 h ago)
        release    HELD, canary, begun 00:00:00 UTC (20 h ago)"
    `);
  });

  it('it is held: somebody moved the alias', async () => {
    const w = await deployed();
    await minutes(w, 3, GOOD);
    const { revision = '' } = (await w.world.aliases.get(FUNCTION, 'live')) ?? {};
    await w.world.aliases.update(FUNCTION, 'live', { version: '5', weights: {}, description: '' }, revision);
    await minute(w, GOOD);
    expect(w.state()?.phase).toBe('HELD');
    expect(await textIn(w)).toMatchInlineSnapshot(`
      "churn: ACT NOW. Somebody moved the alias: the alias live points to version 5, which this release did not do (stable is version 3); nothing was touched; deploy again to go on from there.
        to do      Find out who. \`sls deploy --stage dev\` goes on from where it is.
                   \`sls models rollback --model churn --stage dev\` takes version 4 away: version 3 has all traffic.
        traffic    version 5  ████████████████████   100 %  not of this release
        next       nothing by itself
        judged     step 1, 00:03:00 UTC (80 s ago): no verdict: no regression so far; the step’s time is not over
                     errors    no verdict  no requests yet
                     rejected  no verdict  no requests yet
        latency    is not judged: no objective, or another one than the stable version counts by
        gate       pass: it starts
        held       in JUDGING, since 00:04:00 UTC (20 s ago)
        release    HELD, canary, begun 00:00:00 UTC (4 min ago)"
    `);
  });

  it('the alias was moved after the release', async () => {
    const w = await live();
    const { revision = '' } = (await w.world.aliases.get(FUNCTION, 'live')) ?? {};
    await w.world.aliases.update(FUNCTION, 'live', { version: '5', weights: {}, description: '' }, revision);
    expect(await headIn(w)).toMatchInlineSnapshot(
      `"churn: LOOK, not urgent. The alias points to version 5, which no release did (version 3 is recorded)."`,
    );
  });

  it('the alias is gone', async () => {
    const w = await live();
    await w.world.aliases.remove(FUNCTION, 'live');
    expect(await headIn(w)).toMatchInlineSnapshot(
      `"churn: ACT NOW. The alias is gone, and callers get errors; version 3 was live."`,
    );
  });

  it('the model was removed, or renamed, in the middle of its release', async () => {
    const w = await deployed();
    await minutes(w, 3, GOOD);
    await w.world.aliases.remove(FUNCTION, 'live');
    for (const version of w.aliases.published(FUNCTION)) w.aliases.unpublish(FUNCTION, version);
    expect(await textIn(w)).toMatchInlineSnapshot(`
      "churn: LOOK, not urgent. It is not deployed any more: its function is gone. Its release (JUDGING, version 4 at 5 %) ended with it.
        to do      Where it is still declared, \`sls deploy --stage dev\` deploys it again. \`sls models history --model churn --stage dev\` shows what it was."
    `);
    expect((await statusIn(w)).phase).toBe('NONE');
  });

  it('somebody deleted the function, which no deploy makes again: callers get errors', async () => {
    const w = await live();
    await w.world.aliases.remove(FUNCTION, 'live');
    for (const version of w.aliases.published(FUNCTION)) w.aliases.unpublish(FUNCTION, version);
    const denied = () => Promise.reject(new Error('AccessDenied'));
    for (const stacked of [async () => true, denied]) {
      const { level, summary, todo } = await statusIn(w, undefined, undefined, stacked);
      expect([level, summary, ...todo]).toEqual([
        'act',
        'Somebody deleted its function, and callers get errors.',
        'CloudFormation does not make it again: leave the model out of one deploy, and declare it again in the next. `sls models history --model churn --stage dev` shows what it was.',
      ]);
    }
  });

  it('an alarm that ends no release is on', async () => {
    const w = await live();
    w.alarms.set(`${FUNCTION}-${ALARMS.throttles}`, 'ALARM');
    expect(await textIn(w)).toMatchInlineSnapshot(`
      "churn: LOOK, not urgent. Version 3 has all traffic. shop-dev-churn-throttles is on since 00:00:00 UTC (20 s ago).
        to do      Callers get 429, behind API Gateway 500. Raise \`concurrency.reserved\`, or have the account’s limit raised; else make the model faster. It does not end the release.
        traffic    version 3  ████████████████████   100 %  live
        gate       pass: it starts
        alarms     shop-dev-churn-throttles is on since 00:00:00 UTC (20 s ago)
        release    DONE, canary, begun 00:00:00 UTC (20 s ago)"
    `);
  });

  it('several such alarms are on: each has its way out', async () => {
    const w = await live();
    for (const suffix of [ALARMS.drift, ALARMS.outputs, ALARMS.batchFailed])
      w.alarms.set(`${FUNCTION}-${suffix}`, 'ALARM');
    const { summary, todo } = await statusIn(w);
    expect(summary.match(/shop-dev-churn-\S+ is on since/g)).toHaveLength(3);
    expect(todo).toEqual([
      '`sls models drift --model churn --stage dev` shows what differs from the reference data, and how much. No version is brought back by it.',
      '`sls models batch --model churn --stage dev --failed` lists what failed, and why.',
    ]);
  });

  it('such an alarm is on after a rollback, which is not what it is about', async () => {
    const w = await deployed();
    await until(w, 'ROLLED_BACK', { 3: 0.01, 4: 0.6 });
    const before = await statusIn(w);
    for (const suffix of [ALARMS.release, ALARMS.batchFailed]) w.alarms.set(`${FUNCTION}-${suffix}`, 'ALARM');
    const { level, summary, todo } = await statusIn(w);
    expect(level).toBe('look');
    expect(summary).toContain(`${before.summary} shop-dev-churn-batch-failed is on since `);
    expect(summary).not.toContain('churn-release is on');
    expect(todo).toEqual([
      ...before.todo,
      '`sls models batch --model churn --stage dev --failed` lists what failed, and why.',
    ]);
  });

  it('requests fail while nothing is released', async () => {
    const w = await live({ ...SETTINGS });
    w.alarms.set(`${FUNCTION}-${ALARMS.crashes}`, 'ALARM');
    expect((await statusIn(w)).level).toBe('act');
  });

  it.each([
    'User: ann is not authorized to perform: cloudwatch:DescribeAlarms',
    // Many models are asked about at once, and CloudWatch takes nine of these a second.
    'Rate exceeded',
  ])('alarms cannot be read: it says so instead of none, and why: %s', async (reason) => {
    const w = await live();
    const alarms = { states: () => Promise.reject(new Error(reason)) };
    const status = await statusIn(w, undefined, { ...w.world, alarms });
    expect(status).toMatchObject({ level: 'look', alarmsUnreadable: true, alarmsUnread: reason });
    const text = statusText(status, w.clock.now);
    expect(text).toContain(`alarms     cannot be read: ${reason}`);
    expect(text).toContain('Look again in a moment; where it is denied, ask for `cloudwatch:DescribeAlarms`');
  });

  it.each(['document', 'alias'] as const)('is rolled back just after its %s was read', async (first) => {
    const w = await deployed();
    await minutes(w, 3, GOOD);
    let isOver = false;
    const then = async <Read>(what: typeof first, read: () => Promise<Read>): Promise<Read> => {
      const seen = await read();
      if (what === first && !isOver) {
        isOver = true;
        await until(w, 'ROLLED_BACK', { 3: 0.01, 4: 0.5 });
      }
      return seen;
    };
    const { registry, aliases } = w.world;
    const { phase, traffic } = await statusIn(w, undefined, {
      ...w.world,
      registry: { ...registry, release: (model) => then('document', () => registry.release(model)) },
      aliases: { ...aliases, get: (...of) => then('alias', () => aliases.get(...of)) },
    });
    expect({ phase, traffic }).toEqual({
      phase: 'ROLLED_BACK',
      traffic: [{ version: '3', share: 100, role: 'live' }],
    });
  });

  it('what the worker needs cannot be read', async () => {
    let denied = false;
    const w = await promoted(CANARY, {
      chaos: async (point) => {
        if (denied && point === 'before describe alarms') throw new Error('AccessDenied');
      },
    });
    denied = true;
    await minute(w);
    expect(await headIn(w)).toMatch(
      /^churn: LOOK, not urgent. Version 4 has all traffic. Alarms cannot be read, so nothing would be rolled back: AccessDenied.$/,
    );
    await minutes(w, 20);
    expect(await headIn(w)).toMatch(/^churn: ACT/);
    expect((await statusIn(w)).todo[0]).toMatch(
      /^See why: `sls logs -f models-release --startTime 1h --stage dev`. It is so since /,
    );
  });

  it('a newer plugin wrote the registry', () => {
    const status = statusOf(
      { model: 'churn', functionName: FUNCTION, release: 'newer' },
      0,
      sayOf('churn', 'dev'),
    );
    expect(status).toMatchObject({ level: 'look', phase: 'UNKNOWN' });
  });
});

describe('a log that cannot be redrawn', () => {
  it('has a line a change', async () => {
    const w = await deployed();
    const lines = [statusLine(await statusIn(w))];
    for (let minutes = 0; minutes < 45 && w.state()?.phase !== 'BAKING'; minutes += 1) {
      await minute(w, GOOD);
      const line = statusLine(await statusIn(w)).slice(0, 90);
      if (line !== lines.at(-1)) lines.push(line);
    }
    expect(lines).toMatchInlineSnapshot(`
      [
        "churn: SHIFTING: Version 4 is about to get 5 % (step 1 of 3).",
        "churn: JUDGING: Version 4 has 5 %, step 1 of 3. no verdict: no regression so far; the step",
        "churn: JUDGING: Version 4 has 25 %, step 2 of 3. pass: 7 of 350 (2 %) candidate requests f",
        "churn: JUDGING: Version 4 has 25 %, step 2 of 3. no verdict: no regression so far; the ste",
        "churn: JUDGING: Version 4 has 50 %, step 3 of 3. pass: 30 of 2,200 (1.4 %) candidate reque",
        "churn: JUDGING: Version 4 has 50 %, step 3 of 3. no verdict: no regression so far; the ste",
        "churn: BAKING: Version 4 has all traffic.",
      ]
    `);
  });
});
