import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { benchFor, keptBench } from '../../../../../plugins/models/advise/kept-bench.ts';
import type { Context } from '../../../../../plugins/models/context/context.ts';
import { declaredModels, HOST } from '../../../../fixtures/service.ts';

it('an AWS that does not answer is waited for shortly, and keeps no command alive after that', async () => {
  const asked: Socket[] = [];
  const server = createServer((socket) => {
    asked.push(socket.resume().on('error', () => {}));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    const aws = {
      region: 'us-east-1',
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      credentials: async () => ({ accessKeyId: 'k', secretAccessKey: 's' }),
    };
    const service = { name: 'shop', stage: 'dev', region: 'us-east-1', dir: '/nowhere', stack: 'shop-dev' };
    const context = { aws, service, flags: {}, plan: { host: HOST } } as unknown as Context;
    const [model] = declaredModels({ churn: {} });
    if (model === undefined) throw new Error('no model');
    expect(await keptBench(model, context, { credentials: 500, all: 500 })).toBeUndefined();
    expect(asked.length).toBeGreaterThan(0);
    await Promise.all(asked.map((socket) => (socket.closed ? undefined : once(socket, 'close'))));
  } finally {
    for (const socket of asked) socket.destroy();
    server.close();
  }
});

it('of an artifact that is not deployed yet, the bench of this folder goes before that of what is', () => {
  const artifact = { identity: 'a', source: 's' };
  const [deployed, another] = [{ source: 's' }, { source: 't' }];
  const here = { identity: 'a' };
  expect(benchFor(artifact, deployed, here)).toBe(deployed);
  expect(benchFor(artifact, another, here)).toBe(here);
  // Neither is of it: the one that is asked for first tells so.
  expect(benchFor(artifact, another, { identity: 'b' })).toBe(another);
  expect(benchFor(artifact, undefined, here)).toBe(here);
  // Records of earlier versions do not say which.
  expect(benchFor(artifact, {}, here)).toEqual({});
  expect(benchFor(artifact, undefined, undefined)).toBeUndefined();
});
