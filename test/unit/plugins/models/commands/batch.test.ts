import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { command } from '../../../../../plugins/models/commands/batch.ts';
import type { Context } from '../../../../../plugins/models/context/context.ts';

/** Whoever asks nothing of AWS needs no more than this. */
const run = (flags: Context['flags']): Promise<void> =>
  command.run({
    models: [{ name: 'churn', batch: { entries: [] } }],
    declared: ['churn'],
    problems: [],
    flags,
    aws: { region: 'us-east-1' },
    progress: () => {},
  } as unknown as Context);

it.each([
  [{ failed: true, redrive: true, input: 's3://rows/a.csv' }, '--input', '--failed'],
  [{ failed: true, wait: true }, '--wait', '--failed'],
  [{ adopt: true, input: 's3://rows/a.csv' }, '--input', '--adopt'],
  [{ adopt: true, failed: true }, '--failed', '--adopt'],
  [{ status: true, input: 's3://rows/', wait: true }, '--wait', '--status'],
  [{ status: true, failed: true }, '--status', '--failed'],
])('what would be left undone is refused: %o', async (flags, one, other) => {
  await expect(run(flags)).rejects.toMatchObject({
    problems: [{ code: 'MODELS_USAGE', key: one, message: `does not go with ${other}.` }],
  });
});

it.each([[{ redrive: true }], [{ redrive: true, input: 's3://rows/a.csv' }]])(
  'what failed is sent again by both options alone: %o',
  async (flags) => {
    await expect(run(flags)).rejects.toMatchObject({
      problems: [{ key: '--redrive', message: 'goes with --failed alone.' }],
    });
  },
);

it.each([
  ['QueueDoesNotExist', 'The specified queue does not exist.', 'MODELS_NOT_DEPLOYED'],
  ['NoSuchBucket', 'The specified bucket does not exist', 'MODELS_AWS'],
])('what is not deployed has the code of that, as with other commands: %s', async (type, message, code) => {
  const sqs = createServer((_, response) => {
    response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify({ __type: `com.amazonaws.sqs#${type}`, message }));
  }).listen(0, '127.0.0.1');
  await once(sqs, 'listening');
  const asked = command.run({
    models: [{ name: 'churn', batch: { entries: [] }, function: {} }],
    declared: ['churn'],
    problems: [],
    flags: { failed: true },
    service: { stack: 'shop-dev', region: 'us-east-1' },
    plan: { host: { stack: 'shop-dev', service: 'shop', stage: 'dev' } },
    aws: {
      region: 'us-east-1',
      endpoint: `http://127.0.0.1:${(sqs.address() as AddressInfo).port}`,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    },
    progress: () => {},
  } as unknown as Context);
  await expect(asked).rejects.toMatchObject({ problems: [{ code, key: 'models' }] });
  sqs.closeAllConnections();
  sqs.close();
});
