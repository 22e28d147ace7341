/** Local AWSs that are forked from a process which has loaded everything are what fresh processes are. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awsPython } from '../../../local-aws/aws-python.ts';
import { client } from '../../../local-aws/deployed.ts';
import { type Forks, startForks } from '../../../local-aws/forks.ts';
import { type LocalAws, localAws, startAws } from '../../../local-aws/start.ts';
import { byteCode } from '../../../local-aws/venv.ts';
import { makeFunction } from '../lambda.ts';

const linux = process.platform === 'linux';
const before = process.env.MODELS_AWS_FORKS;
let folder: string;
let forks: Forks;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'models-forks-'));
  forks = await startForks(folder);
  await forks.listens();
  process.env.MODELS_AWS_FORKS = folder;
});
afterAll(async () => {
  if (before === undefined) delete process.env.MODELS_AWS_FORKS;
  else process.env.MODELS_AWS_FORKS = before;
  await forks.end();
  await rm(folder, { recursive: true, force: true });
});

const pidOf = async ({ endpoint }: LocalAws): Promise<number> =>
  ((await (await fetch(`${endpoint}/_local-aws`)).json()) as { pid: number }).pid;

const isForked = async (aws: LocalAws): Promise<boolean> =>
  (await readFile(`/proc/${await pidOf(aws)}/cmdline`, 'utf8')).includes('semantics.forks');

const isThere = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Seconds of the processor. */
const BUSY = 1;
/** From the state on: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
const statOf = async (pid: number): Promise<readonly string[]> =>
  (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];

describe.runIf(linux)('local AWSs that are forked', () => {
  it('have their own state, their own clock and their own end', async () => {
    const [one, other] = [await startAws({ speed: 1 }), await startAws({ speed: 50 })];
    expect([await isForked(one), await isForked(other)]).toEqual([true, true]);
    const s3 = ({ endpoint, env }: LocalAws): S3Client =>
      new S3Client({
        endpoint,
        forcePathStyle: true,
        region: 'us-east-1',
        credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID ?? '', secretAccessKey: 'test' },
      });
    await s3(one).send(new CreateBucketCommand({ Bucket: 'only-here' }));
    expect((await s3(one).send(new ListBucketsCommand({}))).Buckets).toHaveLength(1);
    expect((await s3(other).send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([]);
    const pid = await pidOf(one);
    await one.stop();
    // It has ended, and whom it was forked from waits for it a moment later.
    await expect.poll(() => isThere(pid)).toBe(false);
    expect((await s3(other).send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([]);
    await other.stop();
  });

  it('are counted by who waits for that process, with all that their functions took', async () => {
    const aws = await startAws();
    const pid = await pidOf(aws);
    const [, loader = ''] = await statOf(pid);
    const code = `const spent = () => { const { user, system } = process.cpuUsage(); return user + system; };
      export const handler = () => { while (spent() < ${BUSY * 1e6}); };`;
    await makeFunction(aws, { name: 'busy', code, timeout: 60 });
    const lambda = new LambdaClient(client(aws.endpoint));
    await lambda.send(new InvokeCommand({ FunctionName: 'busy' }));
    lambda.destroy();
    const counted = async (): Promise<number> => {
      const [user = 0, system = 0] = (await statOf(Number(loader))).slice(13, 15).map(Number);
      return (user + system) / 100;
    };
    const already = await counted();
    // It was there, and kept warm, when its AWS ended.
    await aws.stop();
    await expect.poll(counted).toBeGreaterThan(already + BUSY);
  });

  it('tell what they cannot do, as fresh ones do', async () => {
    await expect(startAws({ without: ['no-such-addition'] })).rejects.toThrow(
      /ended at once.*\n(?:.*\n)*.*MODELS_AWS_WITHOUT names no addition: no-such-addition/,
    );
  });

  it('are not made for another environment than what was loaded is for', async () => {
    const open = await startAws({ auth: false });
    expect(await isForked(open)).toBe(false);
    await open.stop();
  });

  it('come from a process that ends with its starter, also by SIGKILL', async () => {
    const its = await mkdtemp(join(tmpdir(), 'models-forks-'));
    const script = `
import { startForks } from ${JSON.stringify(join(localAws, 'forks.ts'))};
const forks = await startForks(${JSON.stringify(its)});
await forks.listens();
console.log('listens');
setInterval(() => {}, 1000);
`;
    const starter = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(starter.stdout, 'data');
    expect(await readdir(its)).toHaveLength(1);
    starter.kill('SIGKILL');
    // It takes its socket away at its end.
    await expect.poll(() => readdir(its)).toEqual([]);
    await rm(its, { recursive: true });
  });

  it('know no port and no folder but their own, in all that was loaded', async () => {
    const script = `
import gc, json, os, wsgiref.handlers
from semantics import forks
forks.load()
ours = (forks.PORT, os.environ["TMPDIR"])
forks.own({"GATEWAY_PORT": "40000", "TMPDIR": "/theirs"})
at = lambda value: isinstance(value, str) and any(one in value for one in ours) or type(value) is int and value == int(forks.PORT)
found = []
known = {}
for tracked in gc.get_objects():
    # Dictionaries of texts are not tracked themselves.
    for one in (tracked, *gc.get_referents(tracked)):
        if isinstance(one, (dict, list, tuple, set)):
            known[id(one)] = one
for one in known.values():
    # Of the standard library's CGI, which nothing runs.
    if one is vars(forks) or one is ours or one is wsgiref.handlers.BaseHandler.os_environ:
        continue
    if isinstance(one, dict):
        found += [(type(one).__name__, repr(key)) for key, value in list(one.items()) if at(value) or at(key)]
    elif isinstance(one, (list, tuple, set)):
        found += [(type(one).__name__, repr(value)) for value in list(one) if at(value)]
from ministack.services import lambda_svc, sns
print(json.dumps([found, sns._PORT, lambda_svc._PROVIDED_CODE_CACHE]))
os._exit(0)
`;
    const python = await awsPython(() => {});
    const { stdout } = await promisify(execFile)(python, ['-c', script], {
      env: {
        ...process.env,
        PYTHONPATH: localAws,
        PYTHONPYCACHEPREFIX: byteCode,
        GATEWAY_PORT: '48731',
        TMPDIR: folder,
        PYTHONUNBUFFERED: '1',
      },
    });
    expect(JSON.parse(stdout)).toEqual([[], '40000', '/theirs/ministack-provided-code-40000']);
  });
});
