/**
 * Deploys of main before and of this version in any order, by the worker of each: whoever comes next goes on
 * with the document.
 */

import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { standing } from '../../../../core/release/state/predicates.ts';
import { outcomeOf } from '../../../../plugins/models/releases/words/outcome.ts';
import { CANARY } from '../../../fakes/settings.ts';
import { FUNCTION, fakeWorld, request } from '../../../fakes/world.ts';
import { type Edition, versionBefore } from '../../../older/version-before.ts';
import { byOlder } from './older.ts';
import { statusIn } from './seen.ts';
import { alarm, minutes } from './traffic.ts';

let edition: Edition;
beforeAll(async () => {
  edition = await versionBefore();
});

/** The worker of the next steps is the older one? Only a deploy changes it. */
type Step =
  | {
      readonly do: 'deploy';
      readonly older: boolean;
      readonly backBy: 'older' | 'newer';
      readonly ends: 'well' | 'rolled back';
      readonly new: boolean;
      readonly bad: boolean;
    }
  | { readonly do: 'minutes'; readonly count: number }
  | { readonly do: 'alarm' }
  | { readonly do: 'promote' | 'rollback' | 'hold' | 'resume' };

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('deploy' as const),
        older: fc.boolean(),
        backBy: fc.constantFrom('older' as const, 'newer' as const),
        ends: fc.constantFrom('well' as const, 'rolled back' as const),
        new: fc.boolean(),
        bad: fc.boolean(),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('minutes' as const), count: fc.integer({ min: 1, max: 45 }) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('alarm' as const) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constantFrom('promote' as const, 'rollback' as const, 'hold' as const, 'resume' as const),
      }),
    },
  ),
  { minLength: 2, maxLength: 9 },
);

it('nothing throws, no version has traffic that nobody gave it, and all know where it stands', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (taken) => {
      const newer = fakeWorld();
      const both = { newer, older: byOlder(newer, edition) };
      let by: keyof typeof both = 'older';
      const w = () => both[by];
      const rates: Record<string, number> = { 1: 0.02 };
      let template = { version: '1', fingerprint: 'f1' };
      let highest = 1;
      newer.aliases.publish(FUNCTION, '1');
      await w().send(request('Create', '1', 'f1', { settings: CANARY }));
      newer.stack.state = 'done';
      const settled = (): void => {
        const state = newer.state();
        const alias = newer.alias();
        if (state === undefined || alias === undefined)
          throw new Error('there is neither document nor alias');
        expect(state.intent, 'no move is left over').toBeUndefined();
        expect(newer.target()).toEqual(standing(state));
        expect(newer.aliases.published(FUNCTION).has(alias.version)).toBe(true);
      };
      for (const step of taken) {
        if (step.do === 'deploy') {
          by = step.older ? 'older' : 'newer';
          const before = template;
          const was = newer.state()?.stable?.version;
          if (step.new) {
            highest += 1;
            const version = String(highest);
            newer.aliases.publish(FUNCTION, version);
            rates[version] = step.bad ? 0.5 : 0.02;
            template = { version, fingerprint: `f${version}` };
          }
          newer.stack.state = 'busy';
          await w().send(
            request('Update', template.version, template.fingerprint, {
              before: before.version,
              settings: CANARY,
            }),
          );
          const answer = newer.answers.at(-1);
          if (step.ends === 'rolled back' || answer?.Status === 'FAILED') {
            newer.stack.state = 'rollingBack';
            // Whether the worker's own function has gone back by then is CloudFormation's choice.
            by = step.backBy;
            await w().send(
              request('Update', before.version, before.fingerprint, {
                before: template.version,
                settings: CANARY,
              }),
            );
            expect(newer.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
            if (before.version !== template.version) newer.aliases.unpublish(FUNCTION, template.version);
            template = before;
            expect(newer.alias()?.version, 'what was live before the deploy is').toBe(was);
          }
          newer.stack.state = 'done';
          await minutes(w(), 1, rates);
        } else if (step.do === 'minutes') await minutes(w(), step.count, rates);
        else if (step.do === 'alarm') {
          await alarm(w());
          newer.alarms.set(`${FUNCTION}-errors`, 'OK');
        } else await w().command(step.do);
        settled();
        await statusIn(newer);
        const [release, alias] = [newer.state(), newer.alias()];
        const outcome = outcomeOf(template.fingerprint, {
          ...(release && { release }),
          ...(alias && { alias }),
        });
        if (outcome.is === 'live') expect(release?.stable?.fingerprint).toBe(template.fingerprint);
      }
      // In the end the newer worker, and long enough.
      by = 'newer';
      await minutes(w(), 30, rates);
      settled();
    }),
    { numRuns: 200 },
  );
});
