import { expect, test } from 'vitest';
import { type Check, type Finding, failed } from '../../account/check.ts';
import { masked, pageOf, placeOf, REHEARSED, ranOn } from '../../account/page.ts';

const line = (name: string): Check => ({
  ...{ name, bullet: `how ${name}`, says: `${name} is so.`, page: 'https://docs.aws.amazon.com/x' },
  notRun: 'It costs.',
});
const CHECKS = ['one', 'two', 'three'].map(line);
const findings = new Map<string, Finding>([
  ['one', { verdict: 'shown', seen: 'as arn:aws:iam::123456789012:user/ann says: a|b' }],
  ['two', { verdict: 'other', seen: 'two\nlines' }],
]);
const report = {
  ...{ isRehearsal: false, account: '123456789012', region: 'eu-central-1', minutes: 42 },
  begun: '2026-11-27T10:00:00.000Z',
  versions: { osls: '4.3.1', Node: '24.0.0' },
  ...{ findings, kept: ['bucket k'], left: [] },
};
const page = pageOf(CHECKS, report);

test('a page says what was seen, and the account only masked', () => {
  expect(page).not.toContain('123456789012');
  expect(page).toContain('- account: 12…12, region: eu-central-1');
  expect(page).toContain('- date: 2026-11-27, 42 minutes');
  expect(page).toContain('- checks: 1 shown, 1 other than expected, 1 not run');
  expect(page).toContain('`sls remove` left: bucket k (');
  expect(page).toContain('- left at the end: nothing');
  expect(page).toContain('| two | two is so. ([page](https://docs.aws.amazon.com/x)) | two lines | other |');
  expect(page).toContain('says: a\\|b | shown |');
  expect(page).toMatch(/\| three \|.*\| not run \|/);
  expect(masked('123456789012')).toBe('12…12');
});

test('what is left is told', () => {
  expect(pageOf(CHECKS, { ...report, left: ['bucket b', 'role r'] })).toContain(
    '- left at the end: bucket b; role r',
  );
});

test('a rehearsal is no evidence, and takes no page’s place', () => {
  const rehearsed = pageOf(CHECKS, { ...report, isRehearsal: true });
  expect(rehearsed.split('\n')[0]).toBe(`# ${REHEARSED}`);
  expect(ranOn(rehearsed)).toBeUndefined();
  for (const existing of [undefined, page, rehearsed])
    expect(placeOf(rehearsed, existing)).toBe('.serverless/account.md');
});

test('a page of an account takes the place of none, of a rehearsal’s, and of one that ran no more', () => {
  const less = pageOf(CHECKS, { ...report, findings: new Map([...findings].slice(0, 1)) });
  expect([ranOn(page), ranOn(less)]).toEqual([2, 1]);
  for (const existing of [undefined, '# Not yet', less, page])
    expect(placeOf(page, existing)).toBe('docs/account.md');
  expect(placeOf(less, page)).toBe('.serverless/account.md');
});

test('what AWS denied has shown nothing; any other failure is other than expected', () => {
  const denied = Object.assign(new Error('User: me is not authorized to perform: lambda:GetAlias'), {
    name: 'AccessDeniedException',
  });
  expect(failed(denied)).toEqual({
    verdict: 'not run',
    seen: 'AWS refused it to the caller: User: me is not authorized to perform: lambda:GetAlias',
  });
  expect(failed(new Error('it is\n late'))).toEqual({ verdict: 'other', seen: 'It failed: it is late' });
});

test('credentials that ended, or no network, have shown nothing', () => {
  const expired = Object.assign(new Error('The security token included in the request is expired'), {
    name: 'ExpiredTokenException',
  });
  const offline = new TypeError('fetch failed', { cause: new Error('getaddrinfo ENOTFOUND sts') });
  for (const error of [expired, offline])
    expect(failed(error)).toMatchObject({
      verdict: 'not run',
      seen: expect.stringMatching(/^AWS was not asked: /),
    });
});

test('what a role of the service was denied is other than expected', () => {
  const denied = (who: string) =>
    failed(
      new Error(
        `User: arn:aws:sts::123456789012:assumed-role/${who} is not authorized to perform: lambda:GetAlias on resource: arn:aws:iam::123456789012:role/smcheck-0123abcd-dev-role`,
      ),
    ).verdict;
  expect(denied('smcheck-0123abcd-dev-EmploymentRole-1ABC/smcheck-0123abcd-dev-employment')).toBe('other');
  expect(denied('Admin/ann')).toBe('not run');
});
