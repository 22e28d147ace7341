import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { serveLambda } from '../../../../functions/host/runtime-api.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runtime-api-'));
  await writeFile(join(folder, 'handler.mjs'), 'export const handler = async () => ({});');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

// "Non-recoverable state. Runtime should exit promptly":
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
it.each([
  ['invocation/next', [500]],
  ['invocation/next', [403]],
  ['invocation/a/response', [200, 500]],
  ['invocation/a/error', [200, 413, 500]],
])('ends where Lambda says of %s that it cannot go on: %j', async (last, statuses) => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const status = statuses[asked.push((request.url ?? '').replace('/2018-06-01/runtime/', '')) - 1];
    if (status === undefined) request.socket.destroy();
    else response.writeHead(status, { 'lambda-runtime-aws-request-id': 'a' }).end('{}');
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    await expect(serveLambda(`127.0.0.1:${port}`, join(folder, 'handler.mjs'))).rejects.toThrow(
      `Lambda’s Runtime API answered ${statuses.at(-1)} to ${last}.`,
    );
    expect(asked).toHaveLength(statuses.length);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
