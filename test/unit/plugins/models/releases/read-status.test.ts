import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, vi } from 'vitest';
import { sightOf } from '../../../../../plugins/models/releases/read-status.ts';

/** Refusals of each function, one more than the client itself asks again after. */
const REFUSALS = 3;

it('what is asked of each of many models is asked until Lambda’s control plane has room for all', async () => {
  const refused = new Map<string, number>();
  let room = true;
  const server = createServer((request, answer) => {
    request.resume();
    const at = request.url ?? '';
    const count = refused.get(at) ?? 0;
    if (count < REFUSALS || !room) {
      refused.set(at, count + 1);
      answer.writeHead(429, { 'x-amzn-errortype': 'TooManyRequestsException' }).end('{}');
    } else answer.writeHead(200, { 'content-type': 'application/json' }).end('{"FunctionVersion": "7"}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const aws = {
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: async () => ({ accessKeyId: 'k', secretAccessKey: 's' }),
  };
  // The client waits for a part of seconds that it makes up.
  const chance = vi.spyOn(Math, 'random').mockReturnValue(0.01);
  const sight = sightOf(aws, 'shop-dev');
  try {
    const [alias, exists] = await Promise.all([sight.aliases.get('f', 'live'), sight.exists('f')]);
    expect([alias?.version, exists]).toEqual(['7', true]);
    // Alarms, too; of them CloudWatch says nothing here but that there is no room.
    refused.clear();
    room = false;
    await expect(sight.alarms.states(['f-errors'])).rejects.toThrow();
    expect([...refused.values()]).toEqual([8]);
    // A command that must work without AWS says how often.
    const brief = sightOf({ ...aws, maxAttempts: 1 } as typeof aws, 'shop-dev');
    refused.clear();
    await expect(brief.aliases.get('f', 'live')).rejects.toMatchObject({ name: 'TooManyRequestsException' });
    expect([...refused.values()]).toEqual([1]);
    brief.close();
  } finally {
    chance.mockRestore();
    sight.close();
    server.closeAllConnections();
    server.close();
  }
});
