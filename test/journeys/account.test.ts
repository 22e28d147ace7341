/**
 * `npm run account` on a local AWS: nothing without a yes; a check that fails, and an action that is denied,
 * are told on a page that is no evidence; a run that is killed or interrupted leaves nothing in the end.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { REHEARSED } from '../account/page.ts';
import { root } from '../unit/docs/pages.ts';
import { accountRun } from './account-run.ts';
import { type Between, standBetween } from './between.ts';
import { everythingLeft } from './service.ts';
import { makeUser, type Statement, type User } from './user.ts';

const SPEED = 6;
/** How often the framework asks what a stack does, in ms of its clock: a quarter of a second of ours. */
const SLS_AWS_MONITORING_FREQUENCY = String(250 * SPEED);

let aws: LocalAws;
let between: Between;
let before: string[];
let user: User;
beforeAll(async () => {
  // Its gateway lets everything through: the check of that one fails. The five minutes that it has are fifty
  // seconds of ours, in which a busy machine starts two dozen instances.
  aws = await startAws({ speed: SPEED, without: ['route_throttling'] });
  before = await everythingLeft(aws);
  user = await makeUser(aws, 'ann');
  between = await standBetween(aws);
});
afterAll(async () => {
  between?.close();
  await aws?.stop();
});

/** By somebody whose calls come by `between`. */
const account = (env: LocalAws['env'], ...args: readonly string[]) =>
  accountRun(
    {
      ...env,
      AWS_ENDPOINT_URL: between.aws.env.AWS_ENDPOINT_URL ?? '',
      SLS_AWS_MONITORING_FREQUENCY,
    },
    ...args,
  );

/** Does something once, before a call goes on: whoever only reads what is printed may come too late. */
function atCall(is: (call: string) => boolean, act: () => unknown): void {
  let isDone = false;
  between.before(async (call) => {
    if (isDone || !is(call)) return;
    isDone = true;
    await act();
  });
}

const ALL: Statement = { Sid: 'All', Effect: 'Allow', Action: '*', Resource: '*' };
const deny = (Action: string, Resource: string | readonly string[] = '*'): Statement => ({
  Sid: Action.replace(/\W/g, ''),
  Effect: 'Deny',
  Action,
  Resource,
});

test('without a terminal and without --yes it says what it would make and cost, and makes nothing', async () => {
  await user.may([ALL, deny('iam:ListRoles')]);
  const run = account(user.env, '--only', 'layer');
  expect(await run.ended, run.text()).toBe(2);
  expect(run.text()).toMatch(/It could not be looked for roles: AccessDenied.*\nSo it will not be known/);
  expect(run.text()).toMatch(/account 000000000000, region us-east-1\n/);
  expect(run.text()).toMatch(/ +\d+ functions\n/);
  expect(run.text()).toMatch(/At most \$0\.\d\d .* and at most \d+ minutes/);
  expect(run.text()).toContain('Nothing was made: there is no terminal to ask on. --yes answers beforehand.');
  expect(await everythingLeft(aws)).toEqual(before);
});

test('an option that is none is named', async () => {
  const run = account(aws.env, '--only', 'layers');
  expect(await run.ended).toBe(2);
  expect(run.text()).toMatch(/^--only: there is no check layers; there are layer, skipped-deploy,/);
});

test('a check that fails and one that is denied: the others run, the page says it, and all is removed', async () => {
  await user.may([ALL, deny('lambda:GetAccountSettings')]);
  const run = account(user.env, '--yes', '--only', 'layer', 'cold-starts', 'gateway', 'permissions');
  expect(await run.ended, run.text()).toBe(1);
  expect(run.text()).toContain('.serverless/account.md is written.');
  const page = await readFile(join(root, '.serverless', 'account.md'), 'utf8');
  expect(page.split('\n')[0]).toBe(`# ${REHEARSED}`);
  const row = (name: string): string => page.split('\n').find((line) => line.startsWith(`| ${name} |`)) ?? '';
  expect(row('layer')).toMatch(/largest difference .* \| shown \|$/);
  expect(row('gateway')).toMatch(/150 without a pause, .* 150 with 200, 0 with 429.* \| other \|$/);
  expect(row('cold-starts')).toMatch(
    /AWS refused it to the caller: .*lambda:GetAccountSettings.* \| not run \|$/,
  );
  expect(row('permissions')).toMatch(/nothing was denied.* \| shown \|$/);
  expect(row('batch')).toMatch(/It was not asked for: --only\. \| not run \|$/);
  expect(page).toContain('- left at the end: nothing');
  expect(await everythingLeft(aws)).toEqual(before);
}, 600_000);

test('a first deploy that fails: the page says it, and nothing is left', async () => {
  await user.may([ALL, deny('lambda:CreateFunction')]);
  const run = account(user.env, '--yes', '--only', 'layer');
  expect(await run.ended, run.text()).toBe(2);
  expect(run.text()).toMatch(/not authorized to perform: lambda:CreateFunction/);
  const page = await readFile(join(root, '.serverless', 'account.md'), 'utf8');
  expect(page).toMatch(/^\| layer \|.*The demo could not be deployed\. \| not run \|$/m);
  expect(await everythingLeft(aws)).toEqual(before);
});

test('killed in mid-deploy, with its memory lost: --clean finds all of it; what AWS refuses is listed', async () => {
  const run = account(aws.env, '--yes', '--only', 'layer');
  atCall(
    () => run.text().includes('employment: version 1 is live'),
    () => run.child.kill('SIGKILL'),
  );
  expect(await run.ended).toBe('SIGKILL');
  const name = /smcheck-[0-9a-f]{8}/.exec(run.text())?.[0] ?? '';
  await rm(join(root, '.local', 'account', `${name}.json`));

  // Those that the stack keeps: CloudFormation, too, deletes with what its caller may.
  const kept = ['rows', 'scored'].map((last) => `arn:aws:s3:::${name}-${last}`);
  await user.may([ALL, deny('s3:DeleteBucket', kept)]);
  const refused = account(user.env, '--clean', '--yes');
  // Once it has seen what there is: what it cannot look for any more may be left.
  atCall(
    (call) => call === 'POST DeleteStack',
    () => user.may([ALL, deny('s3:DeleteBucket', kept), deny('iam:ListRoles')]),
  );
  expect(await refused.ended, refused.text()).toBe(3);
  expect(refused.text()).toMatch(
    new RegExp(
      `LEFT:\n  bucket ${name}-rows\n  bucket ${name}-scored\n  not looked for: roles: AccessDenied`,
    ),
  );
  expect(refused.text()).toMatch(/bucket \S+-rows: AccessDenied/);

  const clean = account(aws.env, '--clean', '--yes');
  expect(await clean.ended, clean.text()).toBe(0);
  expect(clean.text()).toContain('Nothing is left in us-east-1.');
  expect(await everythingLeft(aws)).toEqual(before);
}, 600_000);

test('Ctrl-C in a check: it removes what it made, and says so', async () => {
  const run = account(aws.env, '--yes', '--only', 'counts');
  atCall(
    (call) => call.includes('/invocations') && run.text().includes('check counts'),
    () => run.child.kill('SIGINT'),
  );
  expect(await run.ended, run.text()).toBe(130);
  expect(run.text()).toMatch(/Interrupted\. What was made is removed now[\s\S]*Nothing is left\./);
  expect(await everythingLeft(aws)).toEqual(before);
}, 600_000);
