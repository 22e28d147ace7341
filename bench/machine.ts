/** What a figure depends on, without anything that tells whose machine it is. */
import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ORT_VERSION } from '../plugins/models/artifact/onnx/runtime.ts';
import { runPython } from '../test/python.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Name → what it is, in the order of the table. */
export async function describeMachine(): Promise<Readonly<Record<string, string>>> {
  const lock = async (path: string): Promise<Record<string, { version?: string }>> =>
    JSON.parse(await readFile(join(root, path), 'utf8')).packages;
  const version = (packages: Record<string, { version?: string }>, name: string): string =>
    packages[`node_modules/${name}`]?.version ?? 'not installed';
  const [own, peers] = [await lock('package-lock.json'), await lock('bench/peers/package-lock.json')];
  const python = await runPython(
    '-c',
    ['import sys, onnxruntime as o; print(sys.version.split()[0], o.__version__)'],
    {
      timeout: 60_000,
    },
  );
  const [pythonVersion = '', pythonOrt = ''] = python.trim().split(' ');
  return {
    Processor: `${cpus()[0]?.model.trim() ?? process.arch}, ${availableParallelism()} cores`,
    Memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    System: `${process.platform} ${process.arch}`,
    'Node.js': process.versions.node,
    'onnxruntime-node': ORT_VERSION,
    'Python, onnxruntime': `${pythonVersion}, ${pythonOrt}`,
    osls: version(own, 'osls'),
    '@middy/core here': version(own, '@middy/core'),
    'middy peer: core, normaliser, JSON parser, validator, error handler': [
      '@middy/core',
      '@middy/http-header-normalizer',
      '@middy/http-json-body-parser',
      '@middy/validator',
      '@middy/http-error-handler',
    ]
      .map((name) => version(peers, name))
      .join(', '),
    Date: new Date().toISOString().slice(0, 10),
  };
}
