/**
 * A model folder with a transform.ts: text in, a label's name out, and everything that describes the model
 * says so.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { fixtures } from '../serving/endpoint.ts';
import { type Deployment, deployService, everythingLeft, type Service } from './service.ts';

const SERVICE = `
service: words
plugins: [serverless-models]
provider: {name: aws, environment: {GREETING: hello}}
models:
  m: {artifact: model, http: {auth: none}}
`;

/**
 * The vocabulary's ids and one 0/1 column a word, since the fixture’s model takes floats of shape [n, 3] and
 * [n, 1].
 */
const TRANSFORM = `
import { type Tokens, tokenise } from './tokenise.ts';
import labels from './labels.json';

type Text = { readonly data: readonly string[] };
type Sum = { readonly data: Float32Array; readonly shape: readonly number[] };

export const inputs = [{ name: 'text', datatype: 'BYTES', shape: [-1] }] as const;
export const outputs = [{ name: 'label', datatype: 'BYTES', shape: [-1] }] as const;

export const pre = ({ text }: { readonly text: Text }) => {
  const rows: Tokens[] = text.data.map(tokenise);
  return {
    a: { datatype: 'FP32', shape: [rows.length, 3], data: Float32Array.from(rows.flat()) },
    b: { datatype: 'FP32', shape: [rows.length, 1], data: new Float32Array(rows.length) },
  };
};

export const post = ({ sum }: { readonly sum: Sum }) => {
  const names = Array.from({ length: sum.shape[0] }, (_, row) => {
    const scores = sum.data.subarray(row * 3, row * 3 + 3);
    return labels[scores.indexOf(Math.max(...scores))];
  });
  return { label: { datatype: 'BYTES', shape: [names.length], data: names } };
};
`;
const TOKENISE = `
export type Tokens = readonly [number, number, number];
const words = [process.env.GREETING, 'price', 'bye'];
if (words[0] === undefined) throw new Error('GREETING is not set');
export const tokenise = (text: string): Tokens => {
  const found = text.toLowerCase().split(/\\W+/);
  return words.map((word) => found.filter((other) => other === word).length) as unknown as Tokens;
};
`;
const INPUTS = [{ name: 'text', datatype: 'BYTES', shape: [-1] }];
const OUTPUTS = [{ name: 'label', datatype: 'BYTES', shape: [-1] }];

let aws: LocalAws;
let before: string[];
let service: Service & Deployment;
beforeAll(async () => {
  aws = await startAws();
  before = await everythingLeft(aws);
  const files = {
    'model/model.onnx': await readFile(join(fixtures, 'add.onnx')),
    'model/transform.ts': TRANSFORM,
    'model/tokenise.ts': TOKENISE,
    'model/labels.json': '["greeting", "question", "farewell"]',
  };
  service = await deployService({ yaml: SERVICE, files }, aws);
});
afterAll(() => aws?.stop());

const get = async (path: string): Promise<unknown> => (await fetch(`${service.http()}${path}`)).json();

test('answers text with labels, over HTTP and by direct invoke', async () => {
  const data = ['Hello!', 'Bye, bye: the price is too high', 'What price?'];
  const request = { inputs: [{ name: 'text', datatype: 'BYTES', shape: [3], data }] };
  const outputs = [
    { name: 'label', datatype: 'BYTES', shape: [3], data: ['greeting', 'farewell', 'question'] },
  ];
  const url = `${service.http()}/v2/models/m/infer`;
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(request) });
  expect(await answer.json()).toMatchObject({ outputs });
  expect((await service.invoke('m', request)).answer).toMatchObject({ outputs });
});

test('is described by its own signature: metadata, OpenAPI, docs page', async () => {
  expect(await get('/v2/models/m')).toMatchObject({ inputs: INPUTS, outputs: OUTPUTS });
  expect(await get('/v2/models/m/versions/1')).toMatchObject({ inputs: INPUTS, outputs: OUTPUTS });
  const openapi = JSON.stringify(await get('/openapi.json'));
  expect(openapi).toContain('"text"');
  expect(openapi).toContain('"label"');
  expect(openapi).not.toContain('"sum"');
  expect(await (await fetch(`${service.http()}/docs`)).text()).toContain('data-name="text"');
});

test('the graph’s own input is no input of the endpoint', async () => {
  const request = { inputs: [{ name: 'a', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }] };
  expect((await service.invoke('m', request)).answer).toMatchObject({ code: 'UNKNOWN_INPUT' });
});

test('sls models list shows it', async () => {
  const { stdout } = await service.sls('models', 'list', '--json');
  expect(JSON.parse(stdout)).toMatchObject([{ name: 'm', inputs: INPUTS, outputs: OUTPUTS }]);
});

test('sls remove leaves nothing', async () => {
  await service.remove();
  expect(await everythingLeft(aws)).toEqual(before);
});
