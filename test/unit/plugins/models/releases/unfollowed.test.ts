import { expect, it } from 'vitest';
import type { Release } from '../../../../../core/release/document/contract.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { finishDeploy, missing } from '../../../../../plugins/models/releases/finish.ts';
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
