/** A queue is asked for where AWS is, whatever host is in its URL. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { sqsClient } from '../../../../aws/clients/sqs.ts';

const asked: { readonly host: string; readonly body: string; readonly trace: unknown }[] = [];
const server = createServer(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  asked.push({ host: request.headers.host ?? '', body, trace: request.headers['x-amzn-trace-id'] });
  response.setHeader('content-type', 'application/x-amz-json-1.0');
  response.end(JSON.stringify({ MessageId: '1', MD5OfMessageBody: '5d41402abc4b2a76b9719d911017c592' }));
});
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  vi.unstubAllEnvs();
  asked.length = 0;
});
afterAll(() => {
  server.close();
});

// A name that no resolver knows: https://www.rfc-editor.org/rfc/rfc6761#section-6.4
const QueueUrl = 'http://sqs.us-east-1.emulator.invalid:4566/000000000000/shop-dev-churn-batch';

/** @returns the server's host */
async function send(): Promise<string> {
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.stubEnv('AWS_ENDPOINT_URL', `http://${host}`);
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const sqs = sqsClient({ region: 'us-east-1', credentials, maxAttempts: 1 });
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'hello' }));
  sqs.destroy();
  return host;
}

it('by its URL in the request, at the endpoint that the environment names', async () => {
  const host = await send();
  expect(asked).toEqual([{ host, body: expect.stringContaining(QueueUrl), trace: undefined }]);
});

// https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
it('without the header by which Lambda counts a loop: after 16 turns the message would be taken away', async () => {
  vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'shop-dev-churn-batch');
  vi.stubEnv('_X_AMZN_TRACE_ID', 'Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=1:5759e988:15');
  await send();
  expect(asked.map(({ trace }) => trace)).toEqual([undefined]);
});
