import { expect, it } from 'vitest';
import type { Host } from '../../../../../plugins/models/contracts/host.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import type { DeployContext } from '../../../../../plugins/models/releases/deploy-context.ts';
import { finishDeploy } from '../../../../../plugins/models/releases/finish.ts';
import { deployed } from '../../../core/release/traffic.ts';

it('a deploy whose releases its caller may not tick says what stands, and how to see how they go on', async () => {
  const w = await deployed();
  const denied = new Error('User: ann is not authorized to perform: lambda:InvokeFunction');
  const refusal = Object.assign(denied, {
    name: 'AccessDeniedException',
    $metadata: { httpStatusCode: 403 },
  });
  let closed = false;
  const context: DeployContext = {
    service: { name: 'shop', stage: 'dev', region: 'us-east-1', dir: '/', stack: 'shop-dev' },
    notice: () => {},
    progress: () => {},
    models: parseModels({ churn: { artifact: 'a.onnx' } }).models,
    signatures: async () => new Map(),
    host: {
      service: 'shop',
      stage: 'dev',
      region: 'us-east-1',
      stack: 'shop-dev',
      provider: {},
      functions: {},
    } as unknown as Host,
    reach: {
      bucket: async () => 'registry',
      registry: (_, work) => work({ documents: w.world.registry, by: 'arn:aws:iam::1:user/ann' }),
      deployedBucket: async () => 'registry',
      worker: () => ({
        tick: async () => {
          throw refusal;
        },
        command: async () => {
          throw refusal;
        },
        close: () => {
          closed = true;
        },
      }),
      alias: async ({ functionName, alias }) => w.aliases.at(functionName, alias),
      exists: async () => true,
      aliases: async () => new Set(),
      template: async () => ({}),
      lacks: async () => ({ problems: [], lines: [] }),
      traffic: async () => ({ unknown: 'nobody counted it' }),
      clock: () => w.clock.now,
      pause: async () => {},
    },
  };
  const offers = [{ model: 'churn', identity: 'i', source: 's', layer: 'l', fingerprint: 'b' }];
  const deploy = { before: new Map(), earlier: new Map(), offers, again: [] };
  await expect(finishDeploy(context, deploy, false)).rejects.toMatchObject({
    code: 'MODELS_AWS',
    message:
      'models: The stack is deployed, but its releases cannot be followed: User: ann is not authorized to perform: lambda:InvokeFunction. They go on by themselves: `sls models status --stage dev` shows how they stand. [MODELS_AWS]',
  });
  expect(closed).toBe(true);
});
