import { expect, it } from 'vitest';
import type { Release } from '../../../../../../core/release/document/contract.ts';
import { ALARMS } from '../../../../../../core/release/document/worker-contract.ts';
import { sayOf } from '../../../../../../plugins/models/releases/session.ts';
import { ofPhase } from '../../../../../../plugins/models/releases/words/phase-advice.ts';
import { FUNCTION } from '../../../../../fakes/world.ts';
import { statusIn } from '../../../../core/release/seen.ts';
import { promoted } from '../../../../core/release/traffic.ts';

it('a version that was rolled back is named, where it was a candidate', () => {
  const back = { phase: 'ROLLED_BACK', refused: [], stable: { version: '3' } };
  const told = (more: object): string =>
    ofPhase({ ...back, ...more } as unknown as Release, 0, sayOf('churn', 'prod'), false).summary;
  expect(told({ candidate: { version: '4' } })).toBe('Version 4 was rolled back; version 3 has all traffic.');
  expect(told({})).toBe('The live version was rolled back; version 3 has all traffic.');
});

// A plugin that prunes versions does so, for example: the worker refuses a rollback to it.
it('a last good version that somebody deleted is promised to nobody', async () => {
  const w = await promoted();
  expect((await statusIn(w)).next).toMatch(/an alarm may bring version 3 back$/);
  w.aliases.unpublish(FUNCTION, '3');
  expect((await statusIn(w)).next).toMatch(
    /an alarm pages, and cannot bring version 3 back: somebody deleted it$/,
  );
  w.alarms.set(`${FUNCTION}-${ALARMS.errors}`, 'ALARM');
  expect((await statusIn(w)).todo.join(' ')).toMatch(
    /Somebody deleted version 3, the last good one. `sls models rollback --model churn --stage dev --to <version>` goes back to a version that is still published/,
  );
});
