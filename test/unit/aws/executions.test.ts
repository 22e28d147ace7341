import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SFNClient } from '@aws-sdk/client-sfn';
import { expect, it } from 'vitest';
import { executions } from '../../../aws/executions.ts';
import { executionName } from '../../../core/batch/execution-name.ts';
import type { Job } from '../../../core/batch/job.ts';
import { scene } from '../core/batch/scene.ts';

const MACHINE = 'arn:aws:states:us-east-1:000000000000:stateMachine:churn-batch';
const HASH = '0123456789abcdef'.repeat(4);
const FOLDER = { bucket: 'scored', prefix: `churn@fedcba987654/${HASH}/` };
const JOB = { model: 'churn' } as Job;

type Execution = { status: string; readonly input: string };

/**
 * Step Functions with these executions. `GONE` are those of a state machine that was deleted and made again:
 * their names are known for 90 days, they themselves are not. The local AWS knows no such names, so this
 * answers in its place.
 */
async function withExecutions<T>(
  known: Map<string, Execution>,
  use: (sfn: SFNClient) => Promise<T>,
): Promise<T> {
  const arnOf = (name: string): string => `${MACHINE.replace(':stateMachine:', ':execution:')}:${name}`;
  const answerTo = (action: string | undefined, asked: Record<string, string>): object => {
    if (action === 'ListExecutions') {
      const running = [...known].filter(([, { status }]) => status === asked.statusFilter);
      return { executions: running.map(([name]) => ({ name, executionArn: arnOf(name) })) };
    }
    if (action === 'DescribeExecution') {
      const found = known.get(asked.executionArn?.split(':').at(-1) ?? '');
      return found === undefined || found.status === 'GONE' ? { __type: 'ExecutionDoesNotExist' } : found;
    }
    const { name = '', input = '' } = asked;
    if (known.has(name)) return { __type: 'ExecutionAlreadyExists' };
    known.set(name, { status: 'RUNNING', input });
    return { executionArn: arnOf(name), startDate: 0 };
  };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const answer = answerTo(String(request.headers['x-amz-target']).split('.')[1], JSON.parse(body));
      const status = '__type' in answer ? 400 : 200;
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify(answer));
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

/** So many executions of the job, of a state machine that is gone. */
const gone = (count: number): Map<string, Execution> =>
  new Map(
    Array.from({ length: count }, (_, i) => [
      `${executionName(FOLDER)}-${i + 1}`,
      { status: 'GONE', input: '{}' },
    ]),
  );

it('a name of which the execution is gone, with its state machine, is passed over', async () => {
  const started = await withExecutions(gone(2), (sfn) => executions(sfn, MACHINE, '1').spread(JOB, FOLDER));
  expect(started).toBe('started');
});

it('names are not tried without end, and have no more characters than Step Functions takes', async () => {
  const known = gone(200);
  const asked = withExecutions(known, (sfn) => executions(sfn, MACHINE, '1').spread(JOB, FOLDER));
  await expect(asked).rejects.toThrow('100 executions of this job have come to nothing');
  expect([...known.keys()].every((name) => /^[\w-]{1,80}$/.test(name))).toBe(true);
});

const ROWS = '1,2\n'.repeat(40);

it.each([
  ['by another model', { identity: 'fedcba9876543210'.repeat(4) }, {}],
  ['for another place', {}, { output: { bucket: 'out', prefix: 'elsewhere/' } }],
])(
  'the same content is scored %s once the parts of the one before are through',
  async (_, manifest, entry) => {
    const known = new Map<string, Execution>();
    await withExecutions(known, async (sfn) => {
      const [before, next] = [scene({ whole: 10 }), scene({ whole: 10, manifest, entry })];
      Object.assign(before.world, executions(sfn, MACHINE, '7'));
      Object.assign(next.world, executions(sfn, MACHINE, '8'), { version: '8' });
      await before.send(before.upload('rows/a.csv', ROWS));
      expect(known.size).toBe(1);
      const event = next.upload('rows/a.csv', ROWS);
      await next.send(event);
      expect([known.size, next.again]).toEqual([1, [event]]);
      for (const one of known.values()) one.status = 'SUCCEEDED';
      await next.sendAgain();
      expect([known.size, next.again]).toEqual([2, []]);
      const { version, job } = JSON.parse([...known.values()][1]?.input ?? '{}');
      expect([version, job.version]).toEqual(['8', '8']);
      await next.map(job);
      expect(JSON.parse(next.files()['_SUCCESS.json'] ?? '')).toMatchObject({ version: '8', rows: 40 });
    });
  },
);

it('an execution that a version before has started is the job’s own where its input says so', async () => {
  const input = (prefix: string) =>
    JSON.stringify({ plan: { bucket: 'scored', key: `${prefix}_PLAN.json` } });
  const elsewhere = input(`churn@000000000000/${HASH}/`);
  for (const [execution, running] of [
    [
      { status: 'RUNNING', input: input(FOLDER.prefix) },
      { own: true, others: false },
    ],
    [
      { status: 'RUNNING', input: elsewhere },
      { own: false, others: true },
    ],
  ] as const)
    await withExecutions(new Map([[`${HASH}-1`, execution]]), async (sfn) => {
      expect(await executions(sfn, MACHINE, '8').running(FOLDER)).toEqual(running);
    });
});

it('parts that an execution of a version before is at are not given to a second one', async () => {
  const known = new Map<string, Execution>();
  await withExecutions(known, async (sfn) => {
    const s = scene({ whole: 10 });
    Object.assign(s.world, executions(sfn, MACHINE, '7'));
    const event = s.upload('rows/a.csv', ROWS);
    await s.send(event);
    const [[name = '', execution] = []] = known;
    const hash = /([0-9a-f]{64})\/_PLAN/.exec(execution?.input ?? '')?.[1];
    known.delete(name);
    known.set(`${hash}-1`, execution as Execution);
    await s.send(event);
    expect([known.size, s.again]).toEqual([1, []]);
    await s.send(event, true);
    expect([known.size, s.again]).toEqual([1, [event]]);
    (execution as Execution).status = 'FAILED';
    await s.sendAgain();
    expect([known.size, s.again]).toEqual([2, []]);
  });
});
