import { expect, it } from 'vitest';
import type { Context } from '../../../../../plugins/models/context/context.ts';
import { readBaseline } from '../../../../../plugins/models/drift-report/windows.ts';
import { isProblemError } from '../../../../../plugins/models/problems/errors.ts';

const service = {
  stack: 'shop-prod',
  region: 'eu-central-1',
  stage: 'prod',
  name: 'shop',
} as Context['service'];

async function problemOf(error: Error) {
  const read = readBaseline(
    { aws: { region: 'eu-central-1' } as Context['aws'], bucket: () => Promise.reject(error), service },
    'd',
  );
  const found: unknown = await read.catch((reason: unknown) => reason);
  return isProblemError(found) ? found.problems[0] : undefined;
}

it('where nothing is deployed, that is told, and not that AWS refuses', async () => {
  expect(await problemOf(new Error('Stack with id shop-prod does not exist'))).toEqual({
    code: 'MODELS_NOT_DEPLOYED',
    key: 'models',
    message:
      'There is no shop-prod in eu-central-1 whose drift was looked at: Stack with id shop-prod does not exist.',
    fix: 'Run `sls deploy`, or name another --stage, --region or --aws-profile.',
  });
});

it.each([
  ['ThrottlingException', 'Rate exceeded', /^Try again in a moment/],
  ['AccessDenied', 'Access Denied', /^Check credentials, --aws-profile, --stage and --region/],
])('%s is not told to deploy', async (name, message, fix) => {
  expect(await problemOf(Object.assign(new Error(message), { name }))).toEqual({
    code: 'MODELS_AWS',
    key: 'models',
    message: `What was found of drift in shop-prod (eu-central-1) cannot be read: ${message}.`,
    fix: expect.stringMatching(fix),
  });
});
