import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { sameService, visibly } from '../../../../../plugins/models/context/same-service.ts';
import { problemError } from '../../../../../plugins/models/problems/errors.ts';
import { addSection, asUserError, type Serverless } from '../../../../../plugins/models/serverless.ts';

const ROLLBACK = '`sls models rollback --model churn --stage prod` goes back, `aws lambda get-alias` looks.';
const THERE =
  '`sls models rollback --model churn --stage prod --region eu-west-1` goes back, `aws lambda get-alias` looks.';

it('a command to be copied asks the region and the profile that this one asked', () => {
  expect(sameService(ROLLBACK, {})).toBe(ROLLBACK);
  expect(sameService(ROLLBACK, { region: 'eu-west-1', stage: 'prod' })).toBe(THERE);
  expect(sameService(THERE, { region: 'eu-west-1' })).toBe(THERE);
  expect(sameService('`sls deploy`', { region: 'eu-west-1', 'aws-profile': 'ops' })).toBe(
    '`sls deploy --region eu-west-1 --aws-profile ops`',
  );
  // A flag without a value, and what a shell would take for more than a word.
  expect(sameService(ROLLBACK, { region: true, 'aws-profile': 'a `b`' })).toBe(ROLLBACK);
});

it('commands of the AWS CLI are of the profile that this one asked in, alone, in a sentence and in JSON', () => {
  const alone =
    "aws lambda update-alias --function-name shop-dev-churn --routing-config 'AdditionalVersionWeights={}' --region eu-west-1";
  const ops = alone.replace('update-alias', 'update-alias --profile ops');
  const move = 'aws s3 mv s3://a/b s3://a/c --region eu-west-1';
  const text = (command: string): string => `To do:\n  ${command}\nor \`${command}\`, which takes it away.`;
  expect(sameService(text(alone), { profile: 'ops' })).toBe(text(ops));
  expect(sameService(move, { profile: 'ops' })).toBe(move.replace('mv', 'mv --profile ops'));
  expect(JSON.parse(sameService(JSON.stringify([alone]), { profile: 'ops' }))).toEqual([ops]);
  // One that waits has a word more before its options.
  const wait = 'aws cloudformation wait stack-update-complete --region eu-west-1';
  expect(sameService(wait, { profile: 'ops' })).toBe(wait.replace('--', '--profile ops --'));
  // None is given, or a shell would take it for more than a word; and prose that only names a command.
  for (const profile of [undefined, 'a b']) expect(sameService(text(alone), { profile })).toBe(text(alone));
  expect(sameService('aws lambda get-alias looks', { profile: 'ops' })).toBe('aws lambda get-alias looks');
});

it('and the stage and the configuration that this one was given', () => {
  const given = { stage: 'prod', region: 'eu-west-1', config: 'shop.yml' };
  expect(sameService('Run `sls deploy`.', given)).toBe(
    'Run `sls deploy --stage prod --region eu-west-1 --config shop.yml`.',
  );
  expect(sameService(ROLLBACK, { ...given, region: undefined })).toBe(
    ROLLBACK.replace('--stage prod', '--stage prod --config shop.yml'),
  );
});

it('and the names of the params that this one was given: a shell runs nothing until their values are filled in', () => {
  const given = { stage: 'prod', param: ['artifact=models/b.onnx', 'token=s3cret', 'artifact=c', 'odd`=1'] };
  const asked = 'sls deploy --force --stage prod --param artifact=<artifact> --param token=<token>';
  expect(sameService('Run `sls deploy --force`.', given)).toBe(`Run \`${asked}\`.`);
  expect(spawnSync('bash', ['-c', `sls() { echo ran; }; ${asked}`], { encoding: 'utf8' })).toMatchObject({
    status: 2,
    stdout: '',
  });
  expect(sameService('<code>&#96;sls deploy&#96;</code>', { param: 'a=1' })).toBe(
    '<code>&#96;sls deploy --param a=&lt;a&gt;&#96;</code>',
  );
});

it('so do the lines at the end of deploy and info', () => {
  const added: (readonly string[])[] = [];
  const serverless = {
    addServiceOutputSection: (_: string, lines: readonly string[]) => void added.push(lines),
  } as unknown as Serverless;
  addSection(serverless, [ROLLBACK], { region: 'eu-west-1' });
  expect(added).toEqual([[THERE]]);
});

it('JSON has the commands, too', () => {
  const todo = [ROLLBACK, 'say "sls" as you like'];
  expect(JSON.parse(sameService(JSON.stringify({ todo }), { region: 'eu-west-1' }))).toEqual({
    todo: [THERE, 'say "sls" as you like'],
  });
});

it('whatever the framework is given to say, errors included, has them', () => {
  const said: (string | undefined)[] = [];
  const say = (text?: string): void => void said.push(text);
  const progress = { get: () => ({ notice: say, remove: () => {} }) };
  const options = { region: 'eu-west-1' };
  const utils = visibly({ log: { notice: say, warning: say }, writeText: say, progress }, options);
  utils.log.notice(ROLLBACK);
  utils.log.warning(ROLLBACK);
  utils.writeText(ROLLBACK);
  expect(said).toEqual([THERE, THERE, THERE]);
  const problem = { code: 'MODELS_AWS', key: 'a', message: 'is so.', fix: ROLLBACK } as const;
  const serverless = { classes: { Error } } as unknown as Serverless;
  expect(asUserError(serverless, problemError([problem]), options)).toMatchObject({
    message: `a: is so. ${THERE} [MODELS_AWS]`,
  });
});
