import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixtures, repository } from './endpoint.ts';
import { type Running, removeFolder, serviceFolder, startSls } from './sls.ts';

const SERVICE = `
service: shop
provider:
  name: aws
  region: eu-central-1
  environment: {TABLE: customers, GREETING: hello, TOKEN: secret}
models:
  add:
    artifact: add.onnx
    http: {auth: iam}
  closed:
    artifact: strings.onnx
  told:
    artifact: told
    function:
      environment: {GREETING: moin, DEPTH: 3, STRICT: true, TOKEN: {Ref: Token}}
  sleepy:
    artifact: sleepy
    timeout: 5
    http: {auth: none, path: /slow}
`;

/**
 * Blocks the thread as an endless graph would, which packaging refuses; `session.run` cannot be interrupted
 * either.
 */
const TRANSFORM = `
import { FACTOR } from './factor.ts';
export const inputs = [{ name: 'only', datatype: 'FP32', shape: [1, 3] }];
export const pre = ({ only }: { only: object }, { id }: { id?: string }) => {
  if (id === 'endless') for (;;);
  if (id === 'broken') throw new Error('unseen');
  console.log('factor', FACTOR);
  return { a: only, b: { datatype: 'FP32', shape: [1, 1], data: new Float32Array([FACTOR]) } };
};
`;

/** Answers with what it finds in its environment, as strings.onnx gives it back. */
const VARIABLES = `
const NAMES = ['TABLE', 'GREETING', 'DEPTH', 'STRICT', 'TOKEN'];
export const pre = () => ({
  x: { datatype: 'BYTES', shape: [5], data: NAMES.map((name) => process.env[name] ?? 'none') },
});
`;

type Case = { readonly inputs: object[]; readonly outputs: object[] };

let folder = '';
let server: Running;
let cases: Record<string, Case> = {};
beforeAll(async () => {
  cases = JSON.parse(await readFile(join(fixtures, 'answers.json'), 'utf8')).models;
  folder = await serviceFolder(SERVICE, ['add.onnx', 'strings.onnx']);
  await mkdir(join(folder, 'sleepy'));
  await copyFile(join(fixtures, 'add.onnx'), join(folder, 'sleepy', 'model.onnx'));
  await writeFile(join(folder, 'sleepy', 'transform.ts'), TRANSFORM);
  await writeFile(join(folder, 'sleepy', 'factor.ts'), 'export const FACTOR: number = 1;');
  await mkdir(join(folder, 'told'));
  await copyFile(join(fixtures, 'strings.onnx'), join(folder, 'told', 'model.onnx'));
  await writeFile(join(folder, 'told', 'transform.ts'), VARIABLES);
  server = await startSls(folder, ['serve']);
});
afterAll(async () => {
  await server?.interrupt();
  await removeFolder(folder);
});

const get = (path: string): Promise<Response> => fetch(`${server.url}${path}`);
const post = (path: string, body: string | Uint8Array, headers = {}): Promise<Response> =>
  fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(body as Uint8Array),
  });
const caseOf = (name: string): Case => {
  const found = cases[`${name}.onnx`];
  if (found === undefined) throw new Error(`answers.json has no ${name}`);
  return found;
};
const asked = (name: string): string => JSON.stringify({ inputs: caseOf(name).inputs });
/** What the transform takes. */
const only = (id = 'x'): string =>
  JSON.stringify({ id, inputs: [{ name: 'only', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }] });
const isAlive = (pid: string): boolean => {
  try {
    return process.kill(Number(pid), 0);
  } catch {
    return false;
  }
};
/** All below it: the host, and the models' processes below that. */
const childrenOf = (pid: number): string[] => {
  const pairs = execFileSync('ps', ['-A', '-o', 'ppid=,pid='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const below = (of: string): string[] =>
    pairs.flatMap(([parent, child = '']) => (parent === of ? [child, ...below(child)] : []));
  return below(String(pid));
};

describe('sls models serve', () => {
  it('answers as Python’s onnxruntime does', async () => {
    const { inputs, outputs } = caseOf('add');
    const answer = await post('/v2/models/add/infer', JSON.stringify({ inputs }));
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      model_name: 'add',
      model_version: '1',
      outputs,
    });
  });

  it('takes gzip', async () => {
    const body = gzipSync(asked('add'));
    expect((await post('/v2/models/add/infer', body, { 'content-encoding': 'gzip' })).status).toBe(200);
  });

  it('serves what is invoke-only on AWS, too', async () => {
    const answer = await post('/v2/models/closed/infer', asked('strings'));
    expect(await answer.json()).toMatchObject({ outputs: caseOf('strings').outputs });
  });

  it('gives the handler the provider’s variables and the function’s over them, as the framework does', async () => {
    const answer = await post('/v2/models/told/infer', asked('strings'));
    const { outputs } = (await answer.json()) as Case;
    // What CloudFormation would resolve is nothing here, not the text of the provider that it replaces.
    const found = ['customers', 'moin', '3', 'true', 'none'].map((value) => `hello, ${value}`);
    expect(outputs).toMatchObject([{ name: 'y', data: found }]);
  });

  it('has the bare paths of the one model that has them on AWS', async () => {
    expect((await get('/ping')).status).toBe(200);
    expect((await post('/invocations', asked('add'))).status).toBe(200);
  });

  it('has metadata, readiness, OpenAPI and docs', async () => {
    expect(await (await get('/v2/models/add')).json()).toMatchObject({
      name: 'add',
      versions: ['1'],
      platform: 'onnxruntime_onnx',
    });
    expect(await (await get('/v2/models/add/card')).json()).toMatchObject({
      model: 'add',
      artifact: { files: [{ path: 'model.onnx' }] },
      runtime: { name: 'ONNX Runtime' },
    });
    expect((await get('/v2/health/ready')).status).toBe(200);
    expect((await get('/slow/v2/models/sleepy/ready')).status).toBe(200);
    expect(await (await get('/openapi.json')).json()).toMatchObject({ openapi: '3.1.0' });
    expect((await get('/docs')).headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  it('describes what the transform takes, not what the graph does', async () => {
    const inputs = [{ name: 'only', datatype: 'FP32', shape: [1, 3] }];
    expect(await (await get('/slow/v2/models/sleepy')).json()).toMatchObject({ inputs });
    const page = await get('/slow/docs/');
    expect(new URL(page.url).pathname).toBe('/slow/docs');
    expect(await page.text()).toContain('data-name="only"');
  });

  it('serves a version by its number, and knows no other', async () => {
    const body = asked('add');
    for (const version of ['1', 'live']) {
      expect((await post(`/v2/models/add/versions/${version}/infer`, body)).status).toBe(200);
    }
    expect(await (await get('/v2/models/add/versions/1')).json()).toMatchObject({ name: 'add' });
    const unknown = await post('/v2/models/add/versions/9/infer', body);
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toHaveProperty('error');
  });

  it('answers 504 for a model that never ends, and serves the next request', async () => {
    const began = Date.now();
    const answer = await post('/slow/v2/models/sleepy/infer', only('endless'));
    expect(answer.status).toBe(504);
    expect(await answer.json()).toMatchObject({ code: 'TIMED_OUT' });
    expect(Date.now() - began).toBeLessThan(60_000);
    await server.until(/sleepy: Task timed out after 5 s/);
    expect((await post('/slow/v2/models/sleepy/infer', only())).status).toBe(200);
  });

  it('tells the line of a transform that failed, and not its message', async () => {
    expect((await post('/slow/v2/models/sleepy/infer', only('broken'))).status).toBe(500);
    await server.until(/sleepy: The transform failed\. Error at pre \(\S+\/sleepy\/transform\.ts:6:\d+\)/);
    expect(server.output()).not.toContain('unseen');
  });

  it('refuses bodies as gateway and Lambda do', async () => {
    const tooLarge = await post('/v2/models/add/infer', Buffer.alloc(11 * 1024 * 1024, ' '));
    expect(tooLarge.status).toBe(413);
    expect((await post('/v2/models/add/infer', Buffer.alloc(7 * 1024 * 1024, ' '))).status).toBe(413);
  });

  it('answers to no other name and no other page', async () => {
    const status = (headers: Record<string, string>): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        request(`${server.url}/v2`, { headers }, (response) => resolve(response.resume().statusCode))
          .on('error', reject)
          .end();
      });
    expect(await status({ host: 'evil.example' })).toBe(403);
    expect(await status({ origin: 'https://evil.example' })).toBe(403);
    expect(await status({})).toBe(200);
  });

  it('loads a changed artifact, and keeps what works when the new one does not', async () => {
    const path = join(folder, 'add.onnx');
    const body = asked('add');
    await writeFile(path, 'no model at all');
    await server.until(/add: not reloaded/);
    expect((await post('/v2/models/add/infer', body)).status).toBe(200);
    await copyFile(join(fixtures, 'scalar.onnx'), path);
    await server.until(/add: reloaded/);
    expect(await (await get('/v2/models/add')).json()).toMatchObject({ versions: ['2'] });
    const answer = await post('/v2/models/add/infer', asked('scalar'));
    expect(await answer.json()).toMatchObject({
      model_version: '2',
      outputs: caseOf('scalar').outputs,
    });
  });

  it('loads a changed transform with what it imports', async () => {
    await post('/slow/v2/models/sleepy/infer', only());
    await server.until(/sleepy: factor 1/);
    await writeFile(join(folder, 'sleepy', 'factor.ts'), 'export const FACTOR: number = 2;');
    await server.until(/sleepy: reloaded/);
    await post('/slow/v2/models/sleepy/infer', only());
    await server.until(/sleepy: factor 2/);
  });

  it('opens gRPC where it is told to, and says which port cannot be had', async () => {
    const refused = (port: string): Promise<unknown> => startSls(folder, ['serve', '--grpc-port', port]);
    await expect(refused('nine')).rejects.toThrow(/--grpc-port.*nine is no port/s);
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await expect(refused(String(port))).rejects.toThrow(
      new RegExp(`--grpc-port.*${port} is taken, or not ours to use`, 's'),
    );
    other.close();
    expect(server.grpc).toBe(0);
  });

  it('ends with Ctrl-C and leaves no process', async () => {
    const another = await startSls(folder, ['serve']);
    const children = childrenOf(another.pid);
    expect(children.length).toBeGreaterThanOrEqual(5);
    expect(await another.interrupt()).toBe(0);
    // esbuild's own process notices its end of a pipe a moment later.
    await expect.poll(() => children.filter(isAlive)).toEqual([]);
  });

  /**
   * `serve` from where it has begun to prepare, in a process group of its own; once more where this process
   * was held up for so long that it served before it was interrupted.
   * @returns how it ended
   */
  const interrupted = async (interrupt: (pid: number) => Promise<void>): Promise<unknown> => {
    for (let time = 1; ; time += 1) {
      const { isServing, ...ended } = await interruptedOnce(interrupt);
      if (!isServing || time === 5) return ended;
    }
  };
  const interruptedOnce = async (interrupt: (pid: number) => Promise<void>) => {
    const tmp = await mkdtemp(join(tmpdir(), 'preparing-'));
    const sls = join(repository, 'node_modules', 'osls', 'bin', 'serverless.js');
    const child = spawn(process.execPath, [sls, 'models', 'serve', '--port', '0', '--json'], {
      cwd: folder,
      env: { ...process.env, TMPDIR: tmp },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let output = '';
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
    const ended = new Promise((resolve) => child.once('close', resolve));
    await expect.poll(() => readdir(tmp), { timeout: 120_000, interval: 1 }).not.toEqual([]);
    await interrupt(child.pid ?? 0);
    const code = await ended;
    const left = await readdir(tmp);
    await removeFolder(tmp);
    return { code, isUncaught: /Uncaught/.test(output), left, isServing: printed.includes('"url"') };
  };
  const QUIETLY = { code: 130, isUncaught: false, left: [] };
  const ms = (time: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, time));

  it('ends at once with Ctrl-C while it prepares, when esbuild’s own process is ended, too', async () => {
    const interrupt = async (pid: number): Promise<void> => {
      await ms(100);
      // A terminal sends the signal to the whole process group.
      process.kill(-pid, 'SIGINT');
    };
    expect(await interrupted(interrupt)).toEqual(QUIETLY);
  });

  // The first thing that esbuild makes, the docs page’s script, takes a tenth of a second: `ps` is too slow.
  it('ends with Ctrl-C where it hears of the end of esbuild’s own process first, from the start on', async () => {
    const interrupt = async (pid: number): Promise<void> => {
      const children = () => readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
      const named = async (): Promise<string | undefined> => {
        for (const one of (await children()).trim().split(' '))
          if ((await readFile(`/proc/${one}/comm`, 'utf8').catch(() => '')) === 'esbuild\n') return one;
        return undefined;
      };
      let esbuild = await named();
      for (; esbuild === undefined; esbuild = await named()) await ms(1);
      process.kill(Number(esbuild), 'SIGINT');
      while (isAlive(esbuild)) await ms(1);
      await ms(30);
      process.kill(pid, 'SIGINT');
    };
    expect(await interrupted(interrupt)).toEqual(QUIETLY);
  });

  it('leaves no process when it is killed, even one that never ends', async () => {
    const another = await startSls(folder, ['serve']);
    const children = childrenOf(another.pid);
    const body = only('endless');
    const url = `${another.url}/slow/v2/models/sleepy/infer`;
    const endless = fetch(url, { method: 'POST', body }).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 300));
    process.kill(another.pid, 'SIGKILL');
    await endless;
    await expect.poll(() => children.filter(isAlive)).toEqual([]);
  });
});
