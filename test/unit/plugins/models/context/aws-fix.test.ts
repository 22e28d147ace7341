/** What is advised where AWS did not answer: credentials are no help then. */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { callerOf } from '../../../../../aws/caller.ts';
import { awsFix } from '../../../../../plugins/models/context/aws-fix.ts';

it('is the network where AWS says nothing in time, as behind a wall that drops what is sent', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const aws = {
    region: 'eu-west-1',
    credentials: async () => ({ accessKeyId: 'a', secretAccessKey: 'b' }),
    requestHandler: { socketTimeout: 50 },
    endpoint: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
    maxAttempts: 1,
  };
  const error: unknown = await callerOf(aws).catch((reason: unknown) => reason);
  silent.close();
  expect(error).toMatchObject({ name: 'TimeoutError' });
  expect(awsFix(error, 'Check credentials.')).toContain('Check the network');
  expect(awsFix(new Error('denied'), 'Check credentials.')).toBe('Check credentials.');
});

it('is a moment where AWS itself fails, whatever the name of the failure', async () => {
  const failing = createHttpServer((_, response) => {
    response.writeHead(503, { 'content-type': 'text/xml' });
    response.end('<ErrorResponse><Error><Code>ServiceUnavailable</Code></Error></ErrorResponse>');
  }).listen(0, '127.0.0.1');
  await once(failing, 'listening');
  const aws = {
    region: 'eu-west-1',
    credentials: async () => ({ accessKeyId: 'a', secretAccessKey: 'b' }),
    endpoint: `http://127.0.0.1:${(failing.address() as AddressInfo).port}`,
    maxAttempts: 1,
  };
  const error: unknown = await callerOf(aws).catch((reason: unknown) => reason);
  failing.close();
  expect(awsFix(error, 'Check credentials.')).toBe('Try again in a moment: AWS failed by itself (HTTP 503).');
});
