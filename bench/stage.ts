/**
 * What the claims need, made when first asked for: models, events, packaged endpoints, peers. All below
 * .local/bench.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, copyFile, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Manifest } from '../core/endpoint/contract.ts';
import { hostRuntime } from '../plugins/models/artifact/onnx/runtime.ts';
import { parseModels } from '../plugins/models/declaration/parse.ts';
import { type Shipped, shipModel, unpack } from '../plugins/models/ship/ship.ts';
import { runPython } from '../test/python.ts';
import { lambdaEnvironment, SIDES, WORK } from './children.ts';
import { binaryEvent, INPUTS, jsonEvent, type ModelName } from './events.ts';

const bench = dirname(fileURLToPath(import.meta.url));
const SHIPPED = join(WORK, 'shipped');

export function progress(text: string | undefined): void {
  if (text !== undefined) console.error(`  ${text}`);
}

const made = new Map<string, Promise<unknown>>();
function once<T>(key: string, make: () => Promise<T>): Promise<T> {
  const known = (made.get(key) as Promise<T> | undefined) ?? make();
  made.set(key, known);
  return known;
}

/** @returns folder of what models.py makes */
export const models = (): Promise<string> =>
  once('models', async () => {
    const script = join(bench, 'models.py');
    const folder = join(WORK, 'models');
    const requirements = join(bench, '..', 'test', 'requirements.txt');
    await whenChanged('models', [script, requirements], async () => {
      progress('Making the models (112 MB, once)');
      await rm(folder, { recursive: true, force: true });
      await runPython(script, [folder], { timeout: 300_000 });
    });
    return folder;
  });

/** @returns path of the original model */
export const original = async (name: ModelName): Promise<string> => join(await models(), `${name}.onnx`);

/** @returns what `sls deploy` would upload, and unzipped */
export const shipped = (name: ModelName): Promise<Shipped & { readonly dir: string }> =>
  once(`shipped ${name}`, async () => {
    const serviceDir = await models();
    const { models: parsed, problems } = parseModels({ [name]: { artifact: `${name}.onnx` } });
    const [model] = parsed;
    if (model === undefined) throw new Error(JSON.stringify(problems));
    const result = await shipModel(model, { serviceDir, outDir: SHIPPED, progress });
    if (result.facts.optimized !== true) throw new Error(`${name}: ${result.facts.optimized}`);
    return { ...result, dir: await unpacked(result) };
  });

/** @returns folder with what a function's zip has */
async function unpacked({ content, zip }: Shipped): Promise<string> {
  const dir = (zip ?? '').replace(/\.zip$/, '');
  await rm(dir, { recursive: true, force: true });
  await unpack(content, dir);
  return dir;
}

/** The demo's model: what its functions are told, and their folder. */
export const employment = (): Promise<{ readonly manifest: Manifest; readonly dir: string }> =>
  once('employment', async () => {
    const serviceDir = join(bench, '..', 'examples', 'employment');
    const { models: parsed, problems } = parseModels({ employment: { artifact: 'employment.onnx' } });
    const [model] = parsed;
    if (model === undefined) throw new Error(JSON.stringify(problems));
    const result = await shipModel(model, { serviceDir, outDir: SHIPPED, progress });
    const { identity, signature, opset, remote } = result.facts;
    const manifest = {
      schema: 1,
      model: model.name,
      identity,
      signature,
      opset,
      file: 'model/model.onnx',
      remote,
    } as const;
    return { manifest, dir: await unpacked(result) };
  });

/** @returns NODE_PATH with onnxruntime-node, as the layer has it */
export const runtime = (): Promise<string> =>
  once('runtime', async () => {
    const folder = await hostRuntime(progress);
    if (folder === undefined) throw new Error('ONNX Runtime has no Node build for this machine.');
    return folder;
  });

/**
 * @returns the same as npm installs it, with onnxruntime-common in its many files: what the other sides load
 */
const npmRuntime = (): Promise<string> =>
  once('npm runtime', async () => {
    const ours = await runtime();
    const folder = join(WORK, 'onnxruntime', 'node_modules');
    await whenChanged('onnxruntime', [join(ours, 'onnxruntime-node', 'package.json')], async () => {
      await rm(folder, { recursive: true, force: true });
      await cp(join(ours, 'onnxruntime-node'), join(folder, 'onnxruntime-node'), { recursive: true });
      const common = join(bench, '..', 'node_modules', 'onnxruntime-common');
      await cp(common, join(folder, 'onnxruntime-common'), { recursive: true });
    });
    return folder;
  });

/** @returns folder with node_modules and handler.mjs of the middy peer */
export const peers = (): Promise<string> =>
  once('peers', async () => {
    const from = join(bench, 'peers');
    const folder = join(WORK, 'peers');
    const lists = ['package.json', 'package-lock.json'];
    await whenChanged(
      'peers',
      lists.map((name) => join(from, name)),
      async () => {
        progress('Installing the peers of bench/peers/package.json');
        await mkdir(folder, { recursive: true });
        for (const name of lists) await copyFile(join(from, name), join(folder, name));
        const shell = process.platform === 'win32';
        await promisify(execFile)('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
          cwd: folder,
          shell,
        });
      },
    );
    await copyFile(join(SIDES, 'middy.mjs'), join(folder, 'handler.mjs'));
    return folder;
  });

/** @returns path of an event's JSON */
export const event = (name: ModelName, kind: 'json' | 'binary'): Promise<string> =>
  once(`event ${name} ${kind}`, async () => {
    const make = kind === 'json' ? jsonEvent : binaryEvent;
    return put(`${name}.${kind}.json`, JSON.stringify(make(name, INPUTS[name])));
  });

/** The same input for a bare session. */
export const tensor = (name: 'logreg' | 'cnn') =>
  once(`tensor ${name}`, async () => {
    const { data, shape } = INPUTS[name];
    const file = await put(`${name}.f32`, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return { name: INPUTS[name].name, shape, file };
  });

/** Working folder and environment of the generated handler. */
export async function ownSurroundings(cwd: string) {
  return { cwd, env: lambdaEnvironment(cwd, { NODE_PATH: await runtime() }) };
}

/** Those of another handler, which is told where its model is. */
export async function otherSurroundings(cwd: string, model: string) {
  return { cwd, env: lambdaEnvironment(cwd, { NODE_PATH: await npmRuntime(), MODEL: model }) };
}

async function put(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(WORK, 'requests', name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return path;
}

/** Runs `make` unless it ended well before with the same content of `inputs`. */
async function whenChanged(
  name: string,
  inputs: readonly string[],
  make: () => Promise<void>,
): Promise<void> {
  const hash = createHash('sha256');
  for (const path of inputs) hash.update(await readFile(path));
  const stamp = join(WORK, `${name}.${hash.digest('hex').slice(0, 16)}.done`);
  const isMade = await access(stamp).then(
    () => true,
    () => false,
  );
  if (isMade) return;
  await make();
  await writeFile(stamp, '');
}
