import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openapi } from '../../core/catalog/openapi.ts';
import { DATATYPES } from '../../core/tensor/contract.ts';
import { runPython } from '../python.ts';
import { group, manifest, model, tensor } from '../unit/core/catalog/models.ts';
import { type Running, removeFolder, serviceFolder, startSls } from './sls.ts';

/**
 * The OpenAPI description as others read it: a validator, and a generator whose client then asks by its
 * types.
 */

type Read = {
  readonly invalid: readonly string[];
  readonly lacks: readonly string[];
  readonly broken: readonly string[];
  readonly operations: Readonly<Record<string, { readonly body: string | null; readonly answer: string }>>;
};

const folders: string[] = [];
afterAll(() => Promise.all(folders.map(removeFolder)));

async function read(document: unknown): Promise<Read & { readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'openapi-'));
  folders.push(folder);
  await writeFile(join(folder, 'openapi.json'), JSON.stringify(document));
  const script = join(import.meta.dirname, 'openapi_client.py');
  const printed = await runPython(script, [join(folder, 'openapi.json'), folder], { timeout: 280_000 });
  return { folder, ...(JSON.parse(printed) as Read) };
}

/**
 * Names that a generator could take for each other, for its own, or for code; and signatures of every kind.
 */
const HOSTILE = [
  model('foo'),
  model('foo-version'),
  model('server'),
  model('a1'),
  model('a-1'),
  model('a1-2'),
  model('aB'),
  model('a-b'),
  model('none', { inputs: [] }),
  model('mute', { inputs: [], outputs: [] }),
  model('scalar', { inputs: [tensor('s', 'FP64', [])], outputs: [tensor('s', 'FP64', [])] }),
  model(
    'table',
    { inputs: [tensor('t', 'FP32', [-1, 4])] },
    { columns: { names: ['a b', 'a_b', 'class', '$.*'], bind: true }, missing: 'nan' },
  ),
  model(
    'rows',
    { inputs: [tensor('t', 'FP16', [-1, 2])] },
    { columns: { names: ['age', 'plan'], bind: false }, missing: 'nan' },
  ),
  model('odd', {
    inputs: ['a b', 'a_b', 'a-b', 'class', '', '"""; import os #', '\\', "<img onerror='x'>\n", '$.*'].map(
      (name, i) => tensor(name, 'FP16', [-1, 1, 2].slice(0, i % 4)),
    ),
    outputs: [tensor('y', 'FP32', [-1]), tensor('Y', 'FP32', [-1])],
  }),
  model('all', {
    inputs: DATATYPES.map((datatype) => tensor(`in_${datatype}`, datatype, [-1, 2, 3])),
    outputs: DATATYPES.map((datatype) => tensor(`out_${datatype}`, datatype, [-1])),
  }),
];

it('is valid, and a generated client has a type for every body and answer, whatever models and tensors are called', async () => {
  const prefix = group(HOSTILE, { auth: 'iam' });
  const { invalid, lacks, broken, operations } = await read(openapi(manifest(prefix), prefix));
  expect({ invalid, lacks, broken }).toEqual({ invalid: [], lacks: [], broken: [] });
  // Three of the server, nine of a model; no two have become one.
  expect(Object.keys(operations)).toHaveLength(3 + 9 * HOSTILE.length);
  for (const [name, { body, answer }] of Object.entries(operations)) {
    if (/infer|invocations/.test(name)) expect(body, name).toMatch(/client\.models\.\w+_request\.\w+Request/);
    else expect(body, name).toBeNull();
    expect(body ?? '', name).not.toContain('Any');
    expect(answer, name).not.toContain('Any');
    expect(answer, name).toContain('client.models.error.Error');
  }
});

let service = '';
let server: Running;
beforeAll(async () => {
  service = await serviceFolder(
    `
service: shop
provider: {name: aws}
models:
  foo: {artifact: add.onnx}
  foo-version: {artifact: strings.onnx}
  server: {artifact: one-row.onnx}
`,
    ['add.onnx', 'strings.onnx', 'one-row.onnx'],
  );
  server = await startSls(service, ['serve']);
});
afterAll(async () => {
  await server?.interrupt();
  await removeFolder(service);
});

it('is what a running server does: the generated client asks it by types alone, and understands what it says', async () => {
  const { invalid, lacks, broken, folder } = await read(
    await (await fetch(`${server.url}/openapi.json`)).json(),
  );
  expect({ invalid, lacks, broken }).toEqual({ invalid: [], lacks: [], broken: [] });
  const script = join(import.meta.dirname, 'openapi_ask.py');
  const asked = JSON.parse(await runPython(script, [folder, server.url], { timeout: 300_000 }));
  const sum = [11, 12, 13, 24, 25, 26];
  expect(asked).toMatchObject({
    infer: { kind: 'FooResponse', id: '7', model_name: 'foo', outputs: [{ name: 'sum', data: sum }] },
    refused: { kind: 'Error', code: 'MISSING_INPUT', error: expect.stringContaining('b') },
    rows: { kind: 'FooPredictions', predictions: [sum.slice(0, 3), sum.slice(3)] },
    whole: { kind: 'FooOutputs', outputs: [sum.slice(0, 3), sum.slice(3)] },
    text: { kind: 'FooVersionResponse', outputs: [{ name: 'y', data: ['hello, you'] }] },
    version: { kind: 'ServerResponse', model_version: '1', outputs: [{ name: 'y' }] },
    server: { kind: 'Server', name: 'shop-dev' },
  });
});
