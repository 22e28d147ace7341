import { spawnSync } from 'node:child_process';
import { LambdaClient, UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { type LocalAws, type StartOptions, startAws } from '../../../local-aws/start.ts';
import { invoke } from '../lambda.ts';
import { makeNodeFunction } from './image.ts';

const works = (command: string, ...args: string[]): boolean =>
  spawnSync(command, [...args, 'true']).status === 0;
/** Those that this machine has: continuous integration has the last only. */
const ROOMS: readonly NonNullable<StartOptions['room']>[] = [
  ...(works('bwrap', '--unshare-user', '--unshare-pid', '--ro-bind', '/', '/') ? (['bwrap'] as const) : []),
  ...(works('unshare', '--user', '--map-root-user', '--mount', '--pid', '--fork')
    ? (['unshare'] as const)
    : []),
  'plain',
];
const other = (room: (typeof ROOMS)[number]): boolean => room !== 'plain';

// https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
describe.each(ROOMS)('an image function, its root by %s', (room) => {
  let aws: LocalAws;
  beforeAll(async () => {
    aws = await startAws({ room });
  });
  afterAll(() => aws?.stop());

  it('is the image’s own command, asked for each event, with what Lambda tells a function', async () => {
    const code = `let calls = 0;
      export const handler = (event, head) => {
        console.log('seen', event.word);
        return { calls: ++calls, word: event.word, own: process.env.OWN, both: process.env.BOTH, name: process.env.AWS_LAMBDA_FUNCTION_NAME,
          task: process.env.LAMBDA_TASK_ROOT, left: Number(head['lambda-runtime-deadline-ms']) - Date.now(), arn: head['lambda-runtime-invoked-function-arn'] };
      };`;
    const variables = { BOTH: 'function' };
    await makeNodeFunction(
      aws,
      code,
      { name: 'told', variables },
      { config: { Env: ['OWN=image', 'BOTH=image'] } },
    );
    const first = await invoke(aws, 'told', { word: 'häuser' });
    expect(first.error).toBeUndefined();
    expect(first.body).toMatchObject({
      calls: 1,
      word: 'häuser',
      own: 'image',
      both: 'function',
      name: 'told',
    });
    const { left, arn, task } = first.body as { left: number; arn: string; task: string };
    expect(task).toMatch(room === 'plain' ? /\/images\/\w+\/var\/task$/ : /^\/var\/task$/);
    expect(left).toBeGreaterThan(5000);
    expect(left).toBeLessThanOrEqual(10_000);
    expect(arn).toMatch(/:function:told$/);
    expect(first.log).toMatch(
      /^(local AWS: .*\n)?START RequestId: \S+ Version: \$LATEST\n(local AWS: .*\n)?seen häuser\nEND RequestId/m,
    );
    expect(first.log).toMatch(
      /REPORT RequestId: .*Memory Size: 256 MB\tMax Memory Used: \d\d+ MB\tInit Duration/,
    );
    expect(first.log.includes('is not the root of its process')).toBe(room === 'plain');
    expect((await invoke(aws, 'told', { word: 'again' })).body).toMatchObject({ calls: 2, word: 'again' });
  });

  it('tells errors, of events and of the start, and ends what takes too long or too much', async () => {
    const code = `import { spawn } from 'node:child_process';
      export const handler = async ({ how }) => {
        if (how === 'throw') throw new RangeError('not so');
        if (how === 'exit') process.exit(3);
        if (how === 'abort') process.abort();
        if (how === 'child') spawn(process.execPath, ['-e', 'const all = []; setInterval(() => all.push(Buffer.alloc(2e7, 1)), 10)'], { stdio: 'inherit' });
        if (how !== 'fine') await new Promise((resolve) => setTimeout(resolve, 60_000));
        return process.pid;
      };`;
    // What ends it otherwise than by its time has time for that, however busy the machine is.
    await makeNodeFunction(aws, code, { name: 'fails', timeout: 50 });
    expect(await invoke(aws, 'fails', { how: 'throw' })).toMatchObject({
      error: 'Unhandled',
      body: { errorType: 'RangeError', errorMessage: 'not so' },
    });
    const ended = async (how: string) => JSON.stringify((await invoke(aws, 'fails', { how })).body);
    expect(await ended('exit')).toMatch(/Runtime.ExitError.*Runtime exited with error: exit status 3/);
    expect(await ended('abort')).toMatch(/Runtime.ExitError.*Runtime exited with error: signal: aborted/);
    // What the process has started counts as the function’s.
    expect(await ended('child')).toMatch(/Runtime.ExitError.*Runtime exited with error: signal: killed/);
    expect((await invoke(aws, 'fails', { how: 'fine' })).body).toEqual(expect.any(Number));
    const lambda = new LambdaClient(client(aws.endpoint));
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'fails', Timeout: 3 }));
    lambda.destroy();
    expect(await ended('sleep')).toMatch(/Sandbox.Timedout.*Task timed out after 3.00 seconds/);
    await makeNodeFunction(aws, `throw new TypeError('at load');`, { name: 'broken' });
    expect((await invoke(aws, 'broken')).body).toMatchObject({
      errorType: 'TypeError',
      errorMessage: 'at load',
    });
  });
});

describe.each(ROOMS.filter(other))('an image that is the root of its process, by %s', (room) => {
  let aws: LocalAws;
  beforeAll(async () => {
    aws = await startAws({ room });
  });
  afterAll(() => aws?.stop());

  // https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
  it('has its root to read, and /tmp to write', async () => {
    const code = `import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
      const tried = (act) => { try { return act(); } catch (error) { return error.code; } };
      export const handler = () => ({ root: readdirSync('/').toSorted(), own: readFileSync('/opt/own.txt', 'utf8'), cwd: process.cwd(), secret: tried(() => readFileSync('/opt/secret.txt', 'utf8')),
        write: tried(() => writeFileSync('/var/task/new', '')), tmp: tried(() => writeFileSync('/tmp/new', 'x')), host: tried(() => readdirSync('/etc')) });`;
    const layers = [{ 'opt/own.txt': { data: 'mine' }, 'opt/secret.txt': { data: 'theirs', mode: 0o600 } }];
    await makeNodeFunction(aws, code, { name: 'rooted', config: { WorkingDirectory: '/opt' } }, { layers });
    const { body } = await invoke(aws, 'rooted');
    expect(body).toMatchObject({ own: 'mine', cwd: '/opt', write: 'EROFS', host: 'ENOENT' });
    // Nobody of the image’s own users runs it; in a user namespace alone it is the first user, who may.
    expect((body as { secret: string }).secret).toBe(room === 'bwrap' ? 'EACCES' : 'theirs');
    expect((body as { tmp?: string }).tmp).toBeUndefined();
    expect((body as { root: string[] }).root).toEqual(
      expect.arrayContaining(['dev', 'lib64', 'opt', 'proc', 'tmp', 'usr', 'var']),
    );
  });
});
