import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SFNClient } from '@aws-sdk/client-sfn';
import { expect, it } from 'vitest';
import { spread } from '../../../aws/executions.ts';

const MACHINE = 'arn:aws:states:us-east-1:000000000000:stateMachine:churn-batch';
const INPUT = { version: '1', job: {}, plan: { bucket: 'b', key: 'k' }, results: 'r' };

/**
 * Step Functions as it may be after a state machine was deleted and made again: names of its executions are
 * known for 90 days, the executions themselves are gone. The local AWS knows neither, so this answers in its
 * place.
 */
async function withNamesOf<T>(known: readonly string[], use: (sfn: SFNClient) => Promise<T>): Promise<T> {
  const server = createServer((request, response) => {
    const target = String(request.headers['x-amz-target']);
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const { name } = JSON.parse(body);
      const error = target.endsWith('.DescribeExecution')
        ? 'ExecutionDoesNotExist'
        : known.includes(name)
          ? 'ExecutionAlreadyExists'
          : undefined;
      response.writeHead(error === undefined ? 200 : 400, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(
        JSON.stringify(
          error === undefined ? { executionArn: `${MACHINE}:${name}`, startDate: 0 } : { __type: error },
        ),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const sfn = new SFNClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
  try {
    return await use(sfn);
  } finally {
    sfn.destroy();
    server.close();
  }
}

it('a name of which the execution is gone, with its state machine, is passed over', async () => {
  expect(await withNamesOf(['job-1', 'job-2'], (sfn) => spread(sfn, MACHINE, 'job', INPUT))).toBe('started');
});

it('names are not tried without end', async () => {
  const all = Array.from({ length: 200 }, (_, i) => `job-${i + 1}`);
  const asked = withNamesOf(all, (sfn) => spread(sfn, MACHINE, 'job', INPUT));
  await expect(asked).rejects.toThrow('100 executions of this job have come to nothing');
});
