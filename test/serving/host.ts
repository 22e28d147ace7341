/** Fixtures behind the host, as an image would start it: the bundled program in a process of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { CatalogManifest } from '../../core/catalog/contract.ts';
import type { HostConfig, HostModel } from '../../core/host/contract.ts';
import { shipHere } from '../../plugins/models/serve/shipped.ts';
import { HOST_FILES, writeHost } from '../../plugins/models/ship/host-program.ts';
import { endsWithUs } from '../ends-with-us.ts';
import { fixtures, lambdaEnv, modelOf } from './endpoint.ts';

export type HostScene = Partial<Pick<HostModel, 'timeout' | 'workers' | 'memory' | 'environment'>> & {
  readonly name: string;
  /** An artifact, absolute or below test/fixtures/models. */
  readonly path: string;
  /** Text of the transform beside it. */
  readonly transform?: string;
};

/**
 * A transform whose request’s id says what it does. It blocks the thread, as a graph does; `session.run`
 * cannot be interrupted either.
 */
export const ODDITIES = `
export const pre = (inputs: object, { id = '' }: { id?: string }) => {
  if (id === 'endless') for (;;);
  if (id === 'memory') for (const kept = [];;) kept.push(Buffer.alloc(16 * 1024 * 1024, 1));
  if (id === 'crash') process.kill(process.pid, 'SIGKILL');
  if (id === 'refuse') throw Object.assign(new Error('Only 50 % on “Sundays”.'), { status: 403, code: 'SUNDAY' });
  if (id.startsWith('ms')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(id.slice(2)));
  return inputs;
};
`;

export type Hosted = {
  readonly url: string;
  readonly port: number;
  /** 0 where its configuration has none. */
  readonly grpc: number;
  readonly child: ChildProcess;
  /** What it and its models wrote. */
  readonly output: () => string;
  readonly ended: Promise<number | null>;
  readonly infer: (
    model: string,
    body: string | Uint8Array,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<Response>;
  /** @param name without what all of them begin with */
  readonly metric: (name: string, model: string) => Promise<number>;
  readonly stop: () => Promise<void>;
};

/** Ships models once; hosts of them can then be started again and again. */
export async function hostFolder(scenes: readonly HostScene[]): Promise<{
  readonly start: (changes?: Partial<HostConfig>, env?: Readonly<Record<string, string>>) => Promise<Hosted>;
  readonly remove: () => Promise<void>;
  /** As its configuration names them. */
  readonly models: readonly HostModel[];
}> {
  const folder = await mkdtemp(join(tmpdir(), 'serverless-models-'));
  await writeHost(folder, '');
  const models: HostModel[] = [];
  const entries: CatalogManifest['groups'][number]['models'][number][] = [];
  for (const { name, path, transform, environment: own, ...settings } of scenes) {
    let artifact = path;
    if (transform !== undefined) {
      artifact = join(folder, `${name}-source`);
      await mkdir(artifact);
      await cp(join(fixtures, path), join(artifact, 'model.onnx'));
      await writeFile(join(artifact, 'transform.ts'), transform);
    }
    const outDir = join(folder, name);
    const context = { serviceDir: fixtures, outDir, progress: () => {} };
    const { dir, facts } = await shipHere(modelOf(name, artifact), context);
    const { AWS_LAMBDA_FUNCTION_MEMORY_SIZE: _, ...environment } = await lambdaEnv(name, dir);
    models.push({
      name,
      handler: join(dir, 'handler.mjs'),
      version: '1',
      timeout: 10,
      environment: { ...environment, ...own },
      ...settings,
    });
    const { identity, opset, signature } = facts;
    entries.push({ name, function: name, identity, opset, signature, auth: 'none' });
  }
  const bare = entries.length === 1 ? { bare: entries[0]?.name ?? '' } : {};
  const groups = [{ path: '/', auth: 'none' as const, models: entries, ...bare }];
  const catalog: CatalogManifest = { schema: 1, service: 'tests', version: '1', runtime: '1', groups };
  let count = 0;
  return {
    async start(changes = {}, env = {}) {
      const file = join(folder, `host-${++count}.json`);
      const config: HostConfig = { schema: 1, port: 0, drain: 300, catalog, models, ...changes };
      await writeFile(file, JSON.stringify(config));
      return startProgram(join(folder, HOST_FILES.host), {
        PATH: process.env.PATH ?? '',
        MODELS_HOST: file,
        ...env,
      });
    },
    remove: () => rm(folder, { recursive: true, force: true }),
    models,
  };
}

/** @param program path of the host’s. @param env its whole environment */
export async function startProgram(program: string, env: Readonly<Record<string, string>>): Promise<Hosted> {
  const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  endsWithUs(child, () => child.kill('SIGKILL'));
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const { port, grpc = 0 } = await new Promise<{ port: number; grpc?: number }>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      output += `${line}\n`;
      if (line.startsWith('{"listening"')) resolve(JSON.parse(line).listening);
    });
    ended.then((code) => reject(new Error(`It ended with ${code}: ${output}`)));
  });
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    grpc,
    child,
    output: () => output,
    ended,
    infer: (model, body, headers = {}) =>
      fetch(`${url}/v2/models/${model}/infer`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: Buffer.from(body as Uint8Array),
      }),
    async metric(name, model) {
      const text = await (await fetch(`${url}/metrics`)).text();
      const begin = `serverless_models_${name}{model="${model}"`;
      const line = text.split('\n').find((one) => one.startsWith(begin));
      return Number(line?.slice(line.lastIndexOf(' ') + 1));
    },
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/**
 * Ten thousand connections that send nothing, or as many as a process may have beside what it has anyway.
 * @returns once all are there
 */
export async function silentConnections(
  port: number,
): Promise<{ readonly count: number; readonly closed: () => number }> {
  const limit = Number(execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }));
  const count = Number.isNaN(limit) ? 10_000 : Math.min(10_000, limit - 1000);
  let closed = 0;
  for (let left = count; left > 0; left -= 500)
    await Promise.all(
      Array.from({ length: Math.min(left, 500) }, () => {
        const socket = connect(port, '127.0.0.1');
        // Else its end is never read.
        socket
          .resume()
          .on('close', () => closed++)
          .on('error', () => {});
        return new Promise((resolve) => socket.once('connect', resolve));
      }),
    );
  return { count, closed: () => closed };
}
