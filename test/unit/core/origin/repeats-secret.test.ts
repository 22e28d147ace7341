/** What a server answers is not told where it repeats who asked. */
import { expect, it } from 'vitest';
import { repeatsSecret } from '../../../../core/origin/repeats-secret.ts';

const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;

it.each([
  ['t0ken may not write', 'Bearer t0ken', true],
  ['ann may not write', 'Bearer t0ken', false],
  [`${basic('ann:hunter2')} is refused`, basic('ann:hunter2'), true],
  ['ann with hunter2 may not write', basic('ann:hunter2'), true],
  ['ann may not write', basic('ann:hunter2'), false],
  ['pass\n  word is wrong', basic('ann:pass word'), true],
  ['p:w0rd is wrong', basic('ann:p:w0rd'), true],
  ['a may not write', basic('ann:a'), false],
  ['ann may not write', basic('ann:'), false],
] as const)('%j to %s: %s', (text, authorization, repeats) => {
  expect(repeatsSecret(text, { authorization })).toBe(repeats);
});

it('a session’s token is one, and the ARN of a server is none', () => {
  const headers = { 'x-amz-security-token': 't0ken', 'x-sm-mlflow-app-arn': 'arn:app' };
  expect(repeatsSecret('t0ken is expired', headers)).toBe(true);
  expect(repeatsSecret('arn:app may not be read', headers)).toBe(false);
  expect(repeatsSecret('anything', {})).toBe(false);
});

it('what was sent otherwise is one, too', () => {
  expect(repeatsSecret('t0ken is expired', {}, ['t0ken'])).toBe(true);
  expect(repeatsSecret('an app is expired', {}, ['t0ken', 'app'])).toBe(false);
});
