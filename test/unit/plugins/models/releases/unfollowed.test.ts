import { expect, it } from 'vitest';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { finishDeploy } from '../../../../../plugins/models/releases/finish.ts';
import { deployed } from '../../../core/release/traffic.ts';
import { finishing } from './finishing.ts';

it('a deploy whose releases its caller may not tick says what stands, and how to see how they go on', async () => {
  const w = await deployed();
  const denied = new Error('User: ann is not authorized to perform: lambda:InvokeFunction');
  const refusal = Object.assign(denied, {
    name: 'AccessDeniedException',
    $metadata: { httpStatusCode: 403 },
  });
  let closed = false;
  const context = finishing(w, {
    models: parseModels({ churn: { artifact: 'a.onnx' } }).models,
    notice: () => {},
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
  });
  const offers = [{ model: 'churn', identity: 'i', source: 's', layer: 'l', fingerprint: 'b' }];
  const deploy = { before: new Map(), earlier: new Map(), offers, again: [] };
  await expect(finishDeploy(context, deploy, false)).rejects.toMatchObject({
    code: 'MODELS_AWS',
    message:
      'models: The stack is deployed, but its releases cannot be followed: User: ann is not authorized to perform: lambda:InvokeFunction. They go on by themselves: `sls models status --stage dev` shows how they stand. [MODELS_AWS]',
  });
  expect(closed).toBe(true);
});
