/**
 * A deploy's request that reaches the worker when its stack rolls back already: another resource failed while
 * it was on its way, and CloudFormation waits for no answer then. It is no request to go back.
 */
import { describe, expect, it } from 'vitest';
import type { Release } from '../../../../core/release/document/contract.ts';
import { CANARY } from '../../../fakes/settings.ts';
import { LIVE, request } from '../../../fakes/world.ts';
import { deploy, deployed, live, minute, promoted, rollBack, until, type World } from './traffic.ts';

const GOOD = { 3: 0.02, 4: 0.02 };

/** The deploy that failed would have ended the watch. */
const OTHER = { ...CANARY, rollbackWindow: 0, dryRun: true };

/** A request for version 5, or for version 4 by force. */
const late = (w: World, forced?: string) => {
  w.stack.state = 'rollingBack';
  return w.send(
    forced === undefined
      ? request('Update', '5', 'c', { before: '4', settings: OTHER })
      : request('Update', '4', 'b', { before: '4', forced, settings: OTHER }),
  );
};
const back = (w: World, forced?: string) =>
  forced === undefined
    ? rollBack(w, '4', 'b', '5')
    : w.send(request('Update', '4', 'b', { before: '4', forcedBefore: forced, settings: CANARY }));

describe.each([undefined, 'at noon'])(
  'a request of a deploy in a stack that rolls back (forced: %s)',
  (forced) => {
    it.each(['as sent', 'the other way round'] as const)(
      'leaves what is live, delivered %s',
      async (order) => {
        const w = await promoted();
        const { watch } = w.state() as Release;
        if (order === 'as sent') await late(w, forced);
        w.stack.state = 'rollingBack';
        await back(w, forced);
        if (order !== 'as sent') await late(w, forced);
        expect(w.target()).toEqual({ version: '4', weights: {} });
        w.stack.state = 'done';
        await minute(w, GOOD);
        const settings = CANARY;
        expect(w.state()).toMatchObject({ phase: 'BAKING', stable: { version: '4' }, watch, settings });
        expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
      },
    );

    it('leaves a release that runs', async () => {
      const w = await deployed();
      await until(w, 'JUDGING', GOOD);
      const { release } = w.state() as Release;
      await late(w, forced);
      await back(w, forced);
      expect(w.state()).toMatchObject({ phase: 'JUDGING', release });
      expect(w.target()).toEqual({ version: '3', weights: { '4': 0.05 } });
    });
  },
);

it('nor is it one to a worker that finds the document of an older one', async () => {
  const w = await promoted();
  const { operation: _, order: __, ...older } = w.state() as Release;
  w.objects.set(LIVE, JSON.stringify(older));
  await late(w);
  expect(w.target()).toEqual({ version: '4', weights: {} });
});

it('nor where nothing but the first version was ever asked for', async () => {
  const w = await live();
  w.stack.state = 'rollingBack';
  await w.send(request('Update', '4', 'b', { before: '3', settings: CANARY }));
  expect(w.target()).toEqual({ version: '3', weights: {} });
  await w.send(request('Update', '3', 'a', { before: '4', settings: CANARY }));
  expect(w.target()).toEqual({ version: '3', weights: {} });
});

it('a stack that goes further back than its last operation takes the candidate away', async () => {
  const w = await live();
  // Without a rollback of its own: another resource failed, and the second deploy was to fix that.
  await deploy(w, '4', 'b', { before: '3' });
  await deploy(w, '5', 'c', { before: '4' });
  w.stack.state = 'rollingBack';
  await w.send(request('Update', '3', 'a', { before: '5', settings: CANARY }));
  w.stack.state = 'done';
  await minute(w, GOOD);
  expect(w.state()).toMatchObject({ phase: 'ABORTED', stable: { version: '3' } });
  expect(w.target()).toEqual({ version: '3', weights: {} });
});
