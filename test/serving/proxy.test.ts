import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { type Deployment, deployService, prepareService, type Service } from '../journeys/service.ts';
import { fixtures } from './endpoint.ts';
import { type Running, startSls } from './sls.ts';

const SERVICE = `
service: guarded
plugins: [serverless-models]
provider: {name: aws}
models:
  add:
    artifact: add.onnx
    http: {auth: iam}
`;

let aws: LocalAws;
let service: Service & Deployment;
let proxy: Running;
let body = '';
let outputs: number[] = [];
beforeAll(async () => {
  const cases = JSON.parse(await readFile(join(fixtures, 'answers.json'), 'utf8')).models;
  body = JSON.stringify({ inputs: cases['add.onnx'].inputs });
  outputs = cases['add.onnx'].outputs[0].data;
  aws = await startAws();
  const files = { 'add.onnx': await readFile(join(fixtures, 'add.onnx')) };
  service = await deployService({ yaml: SERVICE, files }, aws);
  proxy = await startSls(service.dir, ['proxy', '--stage', 'dev'], aws.env);
});
afterAll(async () => {
  await proxy?.interrupt();
  await service?.remove();
  await aws?.stop();
});

const post = (base: string, path: string, headers = {}): Promise<Response> =>
  fetch(`${base}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });

describe('sls models proxy', () => {
  it('signs what IAM guards', async () => {
    expect((await post(service.http(), '/v2/models/add/infer')).status).toBe(403);
    const answer = await post(proxy.url, '/v2/models/add/infer');
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ model_name: 'add' });
  });

  it('reaches the catalog: metadata, readiness, OpenAPI, docs', async () => {
    const get = (path: string): Promise<Response> => fetch(`${proxy.url}${path}`);
    expect(await (await get('/v2/models/add')).json()).toMatchObject({ name: 'add', versions: ['1'] });
    expect(await (await get('/v2/models/add/ready')).json()).toEqual({ name: 'add', ready: true });
    expect(await (await get('/v2/health/ready')).json()).toEqual({ ready: true });
    expect((await get('/ping')).status).toBe(200);
    expect(await (await get('/openapi.json')).json()).toMatchObject({ openapi: '3.1.0' });
    expect(await (await get('/docs')).text()).toContain('IAM');
  });

  it('reaches a version by its number, in JSON and with its signature', async () => {
    const answer = await post(proxy.url, '/v2/models/add/versions/1/infer');
    expect(await answer.json()).toMatchObject({ model_name: 'add', model_version: '1' });
    const metadata = await fetch(`${proxy.url}/v2/models/add/versions/1`);
    expect(await metadata.json()).toMatchObject({ name: 'add', inputs: expect.any(Array) });
    expect((await post(proxy.url, '/v2/models/add/versions/99/infer')).status).toBe(404);
    expect((await fetch(`${proxy.url}/v2/models/add/versions/99/ready`)).status).toBe(404);
  });

  it('keeps every byte of a binary request and answer on the way to a version', async () => {
    const tensors = JSON.parse(body).inputs.map(
      ({ name, shape, data }: { name: string; shape: number[]; data: number[] }) => ({
        name,
        shape,
        bytes: Buffer.from(new Float32Array(data).buffer),
      }),
    );
    const header = Buffer.from(
      JSON.stringify({
        parameters: { binary_data_output: true },
        inputs: tensors.map(({ name, shape, bytes }: { name: string; shape: number[]; bytes: Buffer }) => ({
          name,
          shape,
          datatype: 'FP32',
          parameters: { binary_data_size: bytes.length },
        })),
      }),
    );
    const answer = await fetch(`${proxy.url}/v2/models/add/versions/1/infer`, {
      method: 'POST',
      headers: {
        'content-type': 'application/octet-stream',
        'inference-header-content-length': String(header.length),
      },
      body: Buffer.concat([header, ...tensors.map(({ bytes }: { bytes: Buffer }) => bytes)]),
    });
    expect(answer.status).toBe(200);
    const bytes = Buffer.from(await answer.arrayBuffer());
    const length = Number(answer.headers.get('inference-header-content-length'));
    const [output] = JSON.parse(bytes.subarray(0, length).toString()).outputs;
    const values = new Float32Array(new Uint8Array(bytes.subarray(length)).buffer);
    expect([...values]).toEqual(outputs);
    expect(output.parameters.binary_data_size).toBe(bytes.length - length);
  });

  it('answers to no other page, so that none can use these credentials', async () => {
    expect((await post(proxy.url, '/v2/models/add/infer', { origin: 'https://evil.example' })).status).toBe(
      403,
    );
  });
});

describe('sls models proxy for an API of another stack', () => {
  it('signs for it: the service’s own stack says nothing of that API', async () => {
    // In quotes below: YAML reads the id 64686e32, for example, as a number.
    const id = /execute-api\/([^/]+)/.exec(service.http())?.[1] ?? '';
    const yaml = `
service: beside
plugins: [serverless-models]
provider: {name: aws, httpApi: {id: '${id}'}}
models:
  add:
    artifact: add.onnx
    http: {auth: iam, path: /beside}
`;
    const files = { 'add.onnx': await readFile(join(fixtures, 'add.onnx')) };
    const other = await deployService({ yaml, files }, aws);
    try {
      const running = await startSls(other.dir, ['proxy', '--stage', 'dev'], aws.env);
      try {
        expect((await post(service.http(), '/beside/v2/models/add/infer')).status).toBe(403);
        const answer = await post(running.url, '/beside/v2/models/add/infer');
        expect(answer.status).toBe(200);
        expect(await answer.json()).toMatchObject({ model_name: 'add' });
      } finally {
        await running.interrupt();
      }
    } finally {
      await other.remove();
    }
  });

  it('says what to write where only CloudFormation knows which API it is', async () => {
    const yaml = `
service: guarded
plugins: [serverless-models]
provider: {name: aws, httpApi: {id: {Fn::ImportValue: shared-api}}}
models:
  add:
    artifact: add.onnx
    http: {auth: iam}
`;
    const files = { 'add.onnx': await readFile(join(fixtures, 'add.onnx')) };
    const other = await prepareService({ yaml, files }, aws);
    await expect(startSls(other.dir, ['proxy', '--stage', 'dev'], aws.env)).rejects.toThrow(
      /provider\.httpApi\.id.*only CloudFormation.*\$\{cf:/s,
    );
  });
});
