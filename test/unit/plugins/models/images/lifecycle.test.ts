/**
 * Which images a lifecycle policy takes away:
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
 */
import { expect, it } from 'vitest';
import { ruleFor } from '../../../../../plugins/models/images/lifecycle.ts';

const TAG = 'v-0123456789ab';
const rule = (rulePriority: number, selection: object, countNumber = 14) => ({
  rulePriority,
  selection: { ...selection, countType: 'sinceImagePushed', countUnit: 'days', countNumber },
  action: { type: 'expire' },
});
const of = (...rules: readonly object[]) => ruleFor(JSON.stringify({ rules }), TAG);

it.each([
  [{ tagStatus: 'any' }],
  [{ tagStatus: 'tagged', tagPrefixList: ['v'] }],
  [{ tagStatus: 'tagged', tagPatternList: ['*'] }],
  [{ tagStatus: 'tagged', tagPatternList: ['v-*ab', 'v-0*'] }],
])('one that selects our tags: %j', (selection) => {
  expect(of(rule(3, selection))).toBe('rule 3 of its lifecycle policy, sinceImagePushed 14');
});

it.each([
  [{ tagStatus: 'untagged' }],
  [{ tagStatus: 'tagged', tagPrefixList: ['prod'] }],
  // An image has to have them all.
  [{ tagStatus: 'tagged', tagPrefixList: ['v-', 'prod'] }],
  [{ tagStatus: 'tagged', tagPatternList: ['v.*'] }],
  [{ tagStatus: 'tagged', tagPatternList: ['0*'] }],
])('one that does not: %j', (selection) => {
  expect(of(rule(3, selection))).toBeUndefined();
});

it('of several the first decides, by its number', () => {
  const first = rule(1, { tagStatus: 'tagged', tagPrefixList: ['v-'] }, 900);
  expect(of(rule(10, { tagStatus: 'any' }), first)).toContain('rule 1 ');
});

it('what nobody can read says nothing', () => {
  expect(ruleFor('', TAG)).toBeUndefined();
  expect(ruleFor('{"rules": [1, {"selection": null}]}', TAG)).toBeUndefined();
});
