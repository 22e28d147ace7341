import { expect, it } from 'vitest';
import type { Release } from '../../../../../core/release/document/contract.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { finishDeploy, missing } from '../../../../../plugins/models/releases/finish.ts';
import { deployed, promoted } from '../../../core/release/traffic.ts';
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

it('a deploy of what failed says so in sentences with one stop each, at its begin and at its end', async () => {
  const w = await deployed();
  const reason = 'the gate failed: Case 1 of 1 failed.';
  const { stable } = w.state() as Release;
  const failed = {
    ...(w.state() as Release),
    phase: 'ABORTED',
    reason,
    candidate: { version: '4', fingerprint: 'bad' },
  } as Release;
  const said: string[] = [];
  const context = finishing(w, {
    models: parseModels({ churn: { artifact: 'a.onnx' } }).models,
    notice: (line) => said.push(line),
    worker: () => ({
      tick: async () => ({
        model: 'churn',
        phase: 'ABORTED',
        running: false,
        version: stable?.version ?? '',
      }),
      command: () => Promise.reject(new Error('nobody asks')),
      close: () => {},
    }),
  });
  const documents = { ...w.world.registry, release: async () => ({ release: failed, etag: 'e' }) };
  const reach = {
    ...context.reach,
    registry: ((_: unknown, work: (of: object) => unknown) =>
      work({ documents, by: 'ann' })) as typeof context.reach.registry,
  };
  const offers = [{ model: 'churn', identity: 'i', source: 's', layer: 'l', fingerprint: 'bad' }];
  await missing({ ...context, reach }, { offers }, true);
  expect(said).toEqual([
    `churn: nothing of it has changed since the last upload, but what it offers is not live: ${reason} So it is deployed again.`,
  ]);
  const deploy = { before: new Map(), earlier: new Map(), offers, again: [] };
  await expect(finishDeploy({ ...context, reach }, deploy, false)).rejects.toThrow(
    /; the gate failed: Case 1 of 1 failed\. [A-Z]/,
  );
});

it('a deploy of what is live asks again for instances that AWS refused, and says where it still does', async () => {
  const w = await promoted();
  const refused = 'below its minimum value of [100]';
  const live = { ...(w.state() as Release), scaled: { version: '4', key: '{}', refused } } as Release;
  const said: string[] = [];
  const context = finishing(w, {
    models: parseModels({ churn: { artifact: 'a.onnx' } }).models,
    notice: (line) => said.push(line),
    worker: () => ({
      tick: async () => ({ model: 'churn', phase: 'BAKING', running: false, version: '4' }),
      command: () => Promise.reject(new Error('nobody asks')),
      close: () => {},
    }),
  });
  const documents = { ...w.world.registry, release: async () => ({ release: live, etag: 'e', core: live }) };
  const reach = {
    ...context.reach,
    registry: ((_: unknown, work: (of: object) => unknown) =>
      work({ documents, by: 'ann' })) as typeof context.reach.registry,
  };
  const offers = [{ model: 'churn', identity: 'i', source: 's', layer: 'l', fingerprint: 'b' }];
  expect(await missing({ ...context, reach }, { offers }, true)).toEqual(['churn']);
  const deploy = { before: new Map(), earlier: new Map([['churn', live.release]]), offers, again: [] };
  await finishDeploy({ ...context, reach }, deploy, false);
  expect(said).toEqual([
    `churn: nothing of it has changed since the last upload, but AWS refused provisioned concurrency: ${refused}. So it is deployed again.`,
    'churn: version 4 is live',
    `churn: AWS refused provisioned concurrency, and it goes on without: ${refused}.`,
  ]);
});
