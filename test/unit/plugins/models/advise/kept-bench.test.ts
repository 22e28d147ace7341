import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { keptBench } from '../../../../../plugins/models/advise/kept-bench.ts';
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
