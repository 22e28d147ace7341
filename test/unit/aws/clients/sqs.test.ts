/** A queue is asked for where AWS is, whatever host is in its URL. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { sqsClient } from '../../../../aws/clients/sqs.ts';

const asked: { readonly host: string; readonly body: string }[] = [];
const server = createServer(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  asked.push({ host: request.headers.host ?? '', body });
  response.setHeader('content-type', 'application/x-amz-json-1.0');
  response.end(JSON.stringify({ MessageId: '1', MD5OfMessageBody: '5d41402abc4b2a76b9719d911017c592' }));
});
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  vi.unstubAllEnvs();
  server.close();
});

it('by its URL in the request, at the endpoint that the environment names', async () => {
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.stubEnv('AWS_ENDPOINT_URL', `http://${host}`);
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const sqs = sqsClient({ region: 'us-east-1', credentials, maxAttempts: 1 });
  // A name that no resolver knows: https://www.rfc-editor.org/rfc/rfc6761#section-6.4
  const QueueUrl = 'http://sqs.us-east-1.emulator.invalid:4566/000000000000/shop-dev-churn-batch';
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'hello' }));
  sqs.destroy();
  expect(asked).toEqual([{ host, body: expect.stringContaining(QueueUrl) }]);
});
