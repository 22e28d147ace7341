/**
 * A retrained model that takes another input than the live one: whoever releases it is told before clients
 * are.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { fixtures } from '../serving/endpoint.ts';
import { type Deployment, deployService, type Service } from './service.ts';

const SERVICE = `
service: retrained
plugins: [serverless-models]
provider: {name: aws}
models:
  churn: {artifact: churn.onnx}
  fraud: {artifact: fraud.onnx, release: {strategy: allAtOnce}}
`;

let aws: LocalAws;
let add: Buffer;
let service: Service & Deployment;
beforeAll(async () => {
  aws = await startAws();
  add = await readFile(join(fixtures, 'add.onnx'));
  service = await deployService({ yaml: SERVICE, files: { 'churn.onnx': add, 'fraud.onnx': add } }, aws);
});
afterAll(() => aws?.stop());

const planned = async () => {
  const [plain, json] = [await service.sls('models', 'plan'), await service.sls('models', 'plan', '--json')];
  expect([plain.code, json.code]).toEqual([0, 0]);
  const { releases } = JSON.parse(json.stdout);
  return {
    text: plain.stdout,
    signatures: releases.map(({ signature }: { signature: unknown }) => signature),
  };
};

test('plan says that the same is live', async () => {
  const { text, signatures } = await planned();
  expect(text).toContain(
    'Signatures:\n  churn: the same as that of version 1, which is live\n  fraud: the same as that of version 1, which is live\n',
  );
  expect(signatures).toEqual(Array(2).fill({ compared: true, version: '1', changes: [] }));
});

test('plan says what a retrained model takes otherwise, and what follows', async () => {
  const renamed = Buffer.from(add.toString('latin1').replaceAll('\n\x01b', '\n\x01c'), 'latin1');
  await writeFile(join(service.dir, 'churn.onnx'), renamed);
  const { text, signatures } = await planned();
  expect(text).toContain(`Signatures:
  churn: its signature differs from that of version 1, which is live:
    input b is called c now: requests that have b are refused
  Clients that send what version 1 takes may be refused; if the change is intended, promote it once clients follow: \`sls models promote --model churn --stage dev\`.
  fraud: the same as that of version 1, which is live
`);
  const change = { breaks: 'requests', text: 'input b is called c now: requests that have b are refused' };
  expect(signatures[0]).toEqual({ compared: true, version: '1', changes: [change] });
});

test('the live version does refuse what the new one would take, and the other way round', async () => {
  const tensor = (name: string, width: number) => ({
    ...{ name, datatype: 'FP32', shape: [1, width] },
    data: Array(width).fill(1),
  });
  const asked = (name: string) => service.invoke('churn', { inputs: [tensor('a', 3), tensor(name, 1)] });
  expect((await asked('b')).answer).toHaveProperty('outputs');
  expect((await asked('c')).answer).toMatchObject({ code: 'UNKNOWN_INPUT' });
});

test('plan goes on without what it may not read', async () => {
  const denied = await service.slsAs(
    { ...aws.env, AWS_ACCESS_KEY_ID: 'nobody', AWS_SECRET_ACCESS_KEY: 'nothing' },
    ...['models', 'plan'],
  );
  expect(denied.code).toBe(0);
  expect(denied.stdout).toMatch(/^Signatures:\n {2}not compared with what is live: .+\n\nCost a month/m);
});

test('sls deploy says it before anything is uploaded', async () => {
  const { code, stdout, stderr } = await service.sls('deploy');
  expect(code, stdout + stderr).toBe(0);
  expect(stderr).toContain(
    'churn: its signature differs from that of version 1, which is live:\n  input b is called c now',
  );
});
