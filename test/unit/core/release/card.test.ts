/** What is told of a model is no part of what a version is. */
import { expect, it } from 'vitest';
import { mergeCard } from '../../../../core/card/merge.ts';
import type { VersionRecord } from '../../../../core/release/document/history-contract.ts';
import { SCOPE } from '../../../fakes/world.ts';
import { deploy, live, minutes, type World } from './traffic.ts';

const cardOf = (owner: string): string => JSON.stringify(mergeCard({ owner }, {}).card);
const record = (w: World, version: string): VersionRecord =>
  JSON.parse(w.objects.objects.get(`${SCOPE}versions/churn/${version}.json`)?.text ?? '');

it('a card that changes alone starts no release, and the record of the live version has it', async () => {
  const w = await live();
  const release = w.state()?.release;
  expect(record(w, '3').card).toBeUndefined();
  await deploy(w, '3', 'a', { card: cardOf('ann') });
  w.stack.state = 'done';
  await minutes(w, 2);
  expect([w.state()?.release, w.state()?.phase]).toEqual([release, 'DONE']);
  expect(await w.aliases.port.get('shop-dev-churn', 'live')).toMatchObject({ version: '3', weights: {} });
  expect(record(w, '3').card?.owner).toEqual({ value: 'ann', from: ['card'] });
});

it('a release has the card of its candidate in that one’s record alone', async () => {
  const w = await live();
  await deploy(w, '4', 'b', { card: cardOf('bob') });
  expect(record(w, '4').card?.owner?.value).toBe('bob');
  expect(record(w, '3').card).toBeUndefined();
  // The stack rolls back to what it had.
  w.stack.state = 'rollingBack';
  await deploy(w, '3', 'a', { before: '4' });
  expect(record(w, '3').card).toBeUndefined();
});
