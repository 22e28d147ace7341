import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Host } from '../../../../../plugins/models/contracts/host.ts';
import { problemError } from '../../../../../plugins/models/problems/errors.ts';
import { atRegistry } from '../../../../../plugins/models/releases/deploy-context.ts';
import { deployContext } from '../../../../../plugins/models/releases/reach.ts';
import { type Listening, startServer } from '../../../../fakes/hanging.ts';

/** A deploy that AWS refuses a look: who is told of the registry looks for a fault where there is none. */

let server: Listening | undefined;
beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  vi.stubEnv('AWS_MAX_ATTEMPTS', '1');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server?.close();
  server = undefined;
});

/** Lambda answers each call so. */
async function reach(status: number, type: string, message: string) {
  server = await startServer((_, response) => {
    response.writeHead(status, { 'x-amzn-errortype': type }).end(JSON.stringify({ Message: message }));
  });
  vi.stubEnv('AWS_ENDPOINT_URL', server.url);
  const service = { name: 'shop', stage: 'dev', region: 'us-east-1', dir: '/', stack: 'shop-dev' };
  return deployContext({
    aws: { region: 'us-east-1' },
    service,
    notice: () => {},
    progress: () => {},
    models: [],
    host: { service: 'shop', stage: 'dev', region: 'us-east-1', stack: 'shop-dev' } as unknown as Host,
    signatures: async () => new Map(),
    bucket: async () => 'registry',
  }).reach;
}
const target = { model: 'churn', functionName: 'shop-dev-churn', alias: 'live' };

it('names the call that is denied, and where it is listed', async () => {
  const { alias, exists, deployedBucket } = await reach(
    403,
    'AccessDeniedException',
    'User: ann is not authorized to perform: lambda:GetAlias',
  );
  const denied = {
    code: 'MODELS_AWS',
    message:
      'models: shop-dev in us-east-1 cannot be asked: User: ann is not authorized to perform: lambda:GetAlias. Check credentials, --aws-profile and --region; docs/deploy-policy.md lists what a command needs. [MODELS_AWS]',
  };
  await expect(alias(target)).rejects.toMatchObject(denied);
  await expect(exists('shop-dev-churn')).rejects.toMatchObject(denied);
  await expect(
    atRegistry(
      { reach: { bucket: async () => 'registry', registry: () => alias(target) as never } },
      async () => 1,
    ),
  ).rejects.toMatchObject(denied);
  // Who may not look at the worker deploys all the same.
  expect(await deployedBucket()).toBeUndefined();
});

it('says that a throttled call is to be asked again', async () => {
  const { exists, deployedBucket } = await reach(429, 'TooManyRequestsException', 'Rate exceeded');
  const again = {
    code: 'MODELS_AWS',
    message: expect.stringContaining('Rate exceeded. Try again in a moment'),
  };
  // The client asks again, each time after a part of seconds that it makes up.
  const chance = vi.spyOn(Math, 'random').mockReturnValue(0.01);
  try {
    await expect(exists('shop-dev-churn')).rejects.toMatchObject(again);
    await expect(deployedBucket()).rejects.toMatchObject(again);
  } finally {
    chance.mockRestore();
  }
});

it('says so of a registry, too', async () => {
  const slow = Object.assign(new Error('Please reduce your request rate'), {
    name: 'SlowDown',
    $metadata: { httpStatusCode: 503 },
  });
  const registry = async (): Promise<never> => {
    throw slow;
  };
  await expect(
    atRegistry({ reach: { bucket: async () => 'registry', registry } }, async () => 1),
  ).rejects.toThrow(
    'models: The registry in registry cannot be used: Please reduce your request rate. Try again in a moment: others call AWS in this account and region, too. [MODELS_AWS]',
  );
});

it('what is a problem already is told as it is', async () => {
  const problem = problemError(
    [{ code: 'MODELS_RELEASE', key: 'models.churn', message: 'is not live.', fix: 'Deploy it.' }],
    undefined,
  );
  const registry = async (): Promise<never> => {
    throw problem;
  };
  await expect(
    atRegistry({ reach: { bucket: async () => 'registry', registry } }, async () => 1),
  ).rejects.toBe(problem);
});
