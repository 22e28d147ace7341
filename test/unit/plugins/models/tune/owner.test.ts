import { expect, it } from 'vitest';
import { ownerOf, ownerTags, standingOf } from '../../../../../plugins/models/tune/owner.ts';

const owner = { machine: 'ab12', pid: 7, until: Date.UTC(2026, 10, 27, 18) };
const tags = ownerTags(owner);

it('whose a stack is can be read from its tags', () => {
  expect(ownerOf({ team: 'ml', ...tags })).toEqual(owner);
  for (const not of [
    {},
    { ...tags, 'serverless-models-tune': 'somebody' },
    { ...tags, 'serverless-models-tune-until': 'soon' },
  ])
    expect(ownerOf(not)).toBeUndefined();
});

// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Tag.html
it('tags have only signs that every service takes', () => {
  for (const text of Object.entries(tags).flat())
    expect(text).toMatch(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u);
});

type Me = Parameters<typeof standingOf>[1];

it.each<[string, Readonly<Record<string, string>>, Partial<Me>, string]>([
  ['another’s stack is never touched', {}, {}, 'foreign'],
  ['a process that runs here keeps it', tags, {}, 'here'],
  ['one that was killed does not', tags, { isAlive: () => false }, 'left'],
  ['nor one whose time is over: its number is another process’s', tags, { now: owner.until }, 'left'],
  ['another machine keeps it until then', tags, { machine: 'cd34', isAlive: () => false }, 'elsewhere'],
  ['and no longer', tags, { machine: 'cd34', now: owner.until }, 'left'],
])('%s', (_, found, more, standing) => {
  const me: Me = {
    machine: 'ab12',
    now: owner.until - 1,
    isAlive: (pid) => pid === 7,
    ...more,
  };
  expect(standingOf(found, me)).toBe(standing);
});
