/** Messages that failed, with who put them aside and why. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, vi } from 'vitest';
import { queueMessages } from '../../../aws/queue-messages.ts';

const BODY = '{"source":"aws.s3"}';

/** @param denied answers about the queue itself that are refused */
async function received(attributes: Readonly<Record<string, string>>, denied = 0) {
  let asked = 0;
  const server = createServer((request, response) => {
    if (String(request.headers['x-amz-target']).endsWith('GetQueueUrl') && ++asked <= denied) {
      response.statusCode = 403;
      request.resume().on('end', () => response.end('{"__type":"AccessDenied","message":"denied"}'));
      return;
    }
    const answer = String(request.headers['x-amz-target']).endsWith('GetQueueUrl')
      ? { QueueUrl: 'http://sqs.invalid/000000000000/failed' }
      : {
          Messages: [
            {
              MessageId: '1',
              ReceiptHandle: 'r',
              Body: BODY,
              MD5OfBody: createHash('md5').update(BODY).digest('hex'),
              MessageAttributes: Object.fromEntries(
                Object.entries(attributes).map(([name, StringValue]) => [
                  name,
                  { DataType: 'String', StringValue },
                ]),
              ),
            },
          ],
        };
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    request.resume().on('end', () => response.end(JSON.stringify(answer)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const queues = queueMessages({
    region: 'us-east-1',
    credentials: async () => ({ accessKeyId: 'a', secretAccessKey: 'b' }),
  });
  try {
    for (let times = 0; times < denied; times++)
      await expect(queues.receive('failed', 5)).rejects.toThrow('denied');
    return await queues.receive('failed', 5);
  } finally {
    queues.close();
    vi.unstubAllEnvs();
    server.closeAllConnections();
    server.close();
  }
}

it('say why the batch function put them aside', async () => {
  expect(await received({ Code: 'UNREADABLE', Reason: 'It is cut short.' })).toMatchObject([
    { code: 'UNREADABLE', reason: 'It is cut short.' },
  ]);
});

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
it('say so where EventBridge did not get an event to the queue: nothing of ours has crashed', async () => {
  const [failure] = await received({
    RULE_ARN: 'arn',
    ERROR_CODE: 'NO_PERMISSIONS',
    ERROR_MESSAGE: 'denied',
  });
  expect(failure).toMatchObject({
    code: 'NOT_DELIVERED',
    reason: 'EventBridge did not get the event to the queue: NO_PERMISSIONS, denied.',
  });
});

it('say nothing where SQS itself gave them up', async () => {
  const [failure] = await received({});
  expect(failure).not.toHaveProperty('code');
  expect(failure).not.toHaveProperty('reason');
});

it('are asked for anew where the queue was not found out', async () => {
  expect(await received({}, 1)).toMatchObject([{ id: '1' }]);
});
