import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll } from 'vitest';
import { hostRuntime } from '../../plugins/models/artifact/onnx/runtime.ts';
import type { ServiceContext, ShipContext } from '../../plugins/models/contracts/ship-context.ts';
import { artifactOf } from '../../plugins/models/declaration/keys/artifact.ts';
import type { Model } from '../../plugins/models/declaration/model.ts';
import { cacheFolder } from '../../plugins/models/disk/cache.ts';
import { isProblemError } from '../../plugins/models/problems/errors.ts';
import { type Shipped, unpack } from '../../plugins/models/ship/ship.ts';
import { modelNamed } from '../fixtures/service.ts';

export const FIXTURES = join(import.meta.dirname, '..', 'fixtures', 'models');

/** A service in a new folder, with a cache of its own that has nothing but ONNX Runtime. */
export function newService() {
  const service = { dir: '', out: '' };
  const before = process.env.SERVERLESS_MODELS_CACHE;
  beforeAll(async () => {
    await hostRuntime();
    const shared = cacheFolder('onnxruntime');
    service.dir = await mkdtemp(join(tmpdir(), 'service-'));
    service.out = join(service.dir, '.serverless');
    process.env.SERVERLESS_MODELS_CACHE = join(service.dir, 'cache');
    await mkdir(cacheFolder());
    await symlink(shared, cacheFolder('onnxruntime'));
  });
  afterAll(async () => {
    if (before === undefined) delete process.env.SERVERLESS_MODELS_CACHE;
    else process.env.SERVERLESS_MODELS_CACHE = before;
    await rm(service.dir, { recursive: true, force: true });
  });
  return {
    at: (...parts: string[]) => join(service.dir, ...parts),
    write: async (path: string, content: string | Uint8Array): Promise<string> => {
      const target = join(service.dir, path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, content);
      return target;
    },
    context: (more: Partial<ShipContext> = {}): ServiceContext => ({
      imaged: async (_, { facts }) => ({ facts }),
      serviceDir: service.dir,
      outDir: service.out,
      progress: () => {},
      ...more,
    }),
  };
}

export const modelOf = (path: string, more: Partial<Model> = {}): Model =>
  modelNamed('churn', { artifact: artifactOf(path), ...more });

/** @returns folder with what a function's zip has */
export async function unpacked({ content, zip }: Pick<Shipped, 'content' | 'zip'>): Promise<string> {
  const dir = (zip ?? '').replace(/\.zip$/, '');
  await rm(dir, { recursive: true, force: true });
  await unpack(content, dir);
  return dir;
}

/** The problem that `work` ends with, as a person reads it. */
export async function problemOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    (value) => new Error(`no problem: ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (!isProblemError(error)) throw error;
  return error.message;
}

/** Asks a packaged function as Lambda would start it: plain Node, ONNX Runtime by NODE_PATH. */
export async function invoke(
  dir: string,
  event: object,
  env: NodeJS.ProcessEnv = {},
): Promise<{ outputs: { name: string; data: unknown[] }[] }> {
  const program = `const { handler } = await import(process.argv[1]);
    const answer = await handler(JSON.parse(process.argv[2]), { awsRequestId: 'r', functionName: 'f' });
    process.stdout.write('\\n' + JSON.stringify(answer));`;
  const out = execFileSync(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      program,
      pathToFileURL(join(dir, 'handler.mjs')).href,
      JSON.stringify(event),
    ],
    {
      cwd: dir,
      encoding: 'utf8',
      env: {
        PATH: process.env.PATH,
        NODE_PATH: await hostRuntime(),
        AWS_REGION: 'us-east-1',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '1769',
        LAMBDA_TASK_ROOT: dir,
        ...env,
      },
    },
  );
  return JSON.parse(out.slice(out.lastIndexOf('\n') + 1));
}
