/**
 * MLflow as SageMaker manages it: what is asked is signed as botocore signs it. No part of this has run on
 * AWS.
 */
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { awsPython } from '../../local-aws/aws-python.ts';
import { managedMlflow } from '../../plugins/models/artifact/fetch/mlflow-managed.ts';
import { readArtifact } from '../../plugins/models/artifact/read.ts';
import type { SourceContext } from '../../plugins/models/contracts/sources/artifact-source.ts';
import { isProblemError } from '../../plugins/models/problems/errors.ts';
import { type FakeMlflow, fakeMlflow, mlmodelOf } from '../fakes/mlflow.ts';
import { FIXTURES, newService } from './setup.ts';

const SERVER = 'arn:aws:sagemaker:eu-central-1:123456789012:mlflow-tracking-server/team-ml';
const APP = 'arn:aws:sagemaker:us-east-1:123456789012:mlflow-app/app-1A2B3C';
const KEY = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };

type Asked = { readonly method: string; readonly url: string; readonly headers: IncomingHttpHeaders };

const service = newService();
let mlflow: FakeMlflow;
let gateway: ReturnType<typeof createServer>;
let asked: Asked[] = [];
/** How often the graph is not given. */
let busy = 0;
beforeAll(async () => {
  mlflow = await fakeMlflow();
  // In front of it, as AWS's own: who does not sign is refused.
  gateway = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    asked.push({ method, url, headers });
    if (!headers.authorization?.includes(`Credential=${KEY.accessKeyId}/`)) {
      response.writeHead(403, { 'content-type': 'application/json' });
      response.end('{"message":"The security token included in the request is invalid."}');
      return;
    }
    if (busy > 0 && url.endsWith('/model.onnx')) {
      busy -= 1;
      response.writeHead(503).end('busy');
      return;
    }
    const answer = await fetch(`${mlflow.address}${url}`);
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((done) => gateway.listen(0, '127.0.0.1', done));
  process.env.SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
});
afterEach(() => {
  asked = [];
});
afterAll(async () => {
  delete process.env.MLFLOW_TRACKING_URI;
  delete process.env.SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT;
  gateway?.close();
  await mlflow?.stop();
});

const read = (reference: string, uri: string, more: Partial<SourceContext> = {}) => {
  process.env.MLFLOW_TRACKING_URI = uri;
  return readArtifact(
    reference,
    {
      key: 'models.churn.artifact',
      serviceDir: service.at(),
      progress: () => {},
      aws: { region: 'us-east-1', credentials: async () => KEY },
      ...more,
    },
    () => {},
  );
};
async function refused(...given: Parameters<typeof read>): Promise<string> {
  const error: unknown = await read(...given).catch((reason: unknown) => reason);
  if (!isProblemError(error)) throw error;
  return error.message;
}

/** Signatures of the same requests, by botocore's `SigV4Auth`. */
const BOTOCORE = `
import json, re, sys
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

given = json.load(sys.stdin)
found = []
for one in given["asked"]:
    scope, names = re.search(r"Credential=[^/]+/([^,]+), SignedHeaders=([^,]+)", one["headers"]["authorization"]).groups()
    _, region, service, _ = scope.split("/")
    headers = {name: one["headers"][name] for name in names.split(";")}
    request = AWSRequest(method=one["method"], url="http://" + one["headers"]["host"] + one["url"], headers=headers)
    request.context["timestamp"] = headers["x-amz-date"]
    request.context["payload_signing_enabled"] = True
    auth = SigV4Auth(Credentials(given["id"], given["secret"], given.get("token")), service, region)
    text = auth.string_to_sign(request, auth.canonical_request(request))
    found.append([scope.split("/", 1)[1], names, auth.signature(text, request)])
json.dump(found, sys.stdout)
`;
async function botocore(token?: string): Promise<readonly (readonly [string, string, string])[]> {
  const input = JSON.stringify({ asked, id: KEY.accessKeyId, secret: KEY.secretAccessKey, token });
  return JSON.parse(execFileSync(await awsPython(() => {}), ['-c', BOTOCORE], { input, encoding: 'utf8' }));
}
const signatureOf = ({ headers }: Asked): string =>
  /Signature=([0-9a-f]{64})$/.exec(headers.authorization ?? '')?.[1] ?? 'none';

it.each([
  [SERVER, 'eu-central-1/sagemaker-mlflow/aws4_request', 'x-mlflow-sm-tracking-server-arn'],
  [APP, 'us-east-1/sagemaker/aws4_request', 'x-sm-mlflow-app-arn'],
])('%s: every request has botocore’s signature, and names the server', async (arn, scope, header) => {
  // Names that a signature may take in another way than a server.
  const name = `churn (new) ~ü+*${arn.length}`;
  mlflow.register(name, {
    MLmodel: mlmodelOf('model.onnx'),
    'model.onnx': await readFile(join(FIXTURES, 'external', 'model.onnx')),
    'weights/w.bin': await readFile(join(FIXTURES, 'external', 'weights', 'w.bin')),
    'more/a b.txt': Buffer.from('x'),
  });
  mlflow.alias(name, 'champion', '1');
  const { origin, files } = await read(`models:/${name}@champion`, arn);
  expect([origin?.at, origin?.name]).toEqual([arn, name]);
  expect(files.map(({ path }) => path)).toEqual(['model.onnx', 'weights/w.bin']);
  expect(asked.length).toBeGreaterThan(7);
  const theirs = await botocore();
  expect(asked.map(signatureOf)).toEqual(theirs.map(([, , signature]) => signature));
  for (const [at, names] of theirs) {
    expect(at).toBe(scope);
    expect(names.split(';')).toEqual(expect.arrayContaining(['host', 'x-amz-content-sha256', header]));
  }
  expect(asked.map(({ headers }) => headers[header])).toEqual(asked.map(() => arn));
});

it('an attempt that is made again is signed again: AWS takes no signature that is older than a few minutes', async () => {
  mlflow.register('again', {
    MLmodel: mlmodelOf('model.onnx'),
    'model.onnx': await readFile(join(FIXTURES, 'add.onnx')),
  });
  busy = 1;
  let given = 0;
  const credentials = async () => {
    given += 1;
    return KEY;
  };
  await read('models:/again/1', SERVER, { aws: { region: 'us-east-1', credentials } });
  expect([busy, given]).toEqual([0, asked.length]);
  expect(asked.map(signatureOf)).toEqual((await botocore()).map(([, , signature]) => signature));
});

it('a session’s token is sent and signed', async () => {
  const credentials = async () => ({ ...KEY, sessionToken: 'a token' });
  mlflow.register('session', {});
  await refused('models:/session/1', SERVER, { aws: { region: 'us-east-1', credentials } });
  expect(asked[0]?.headers['x-amz-security-token']).toBe('a token');
  expect(asked.map(signatureOf)).toEqual((await botocore('a token')).map(([, , signature]) => signature));
});

it('asks the hosts of SageMaker’s own client', () => {
  const url = (arn: string) => managedMlflow(arn, async () => KEY, undefined)?.url;
  expect(url(SERVER)).toBe('https://eu-central-1.experiments.sagemaker.aws');
  expect(url(APP)).toBe('https://mlflow.sagemaker.us-east-1.app.aws');
  expect(url(SERVER.replace('arn:aws', 'arn:aws-us-gov'))).toBe(
    'https://eu-central-1.experiments.sagemaker.aws',
  );
  expect(url(SERVER.replace('arn:aws', 'arn:aws-cn'))).toBe(undefined);
});

it.each([
  ['arn:aws:sagemaker:eu-central-1:123456789012:endpoint/churn', 'is no tracking server and no MLflow app'],
  ['arn:aws-cn:sagemaker:cn-north-1:123456789012:mlflow-tracking-server/x', 'is no tracking server'],
  ['arn:aws:s3:::bucket', 'Copy its ARN from `aws sagemaker list-mlflow-tracking-servers`'],
])('%s is refused', async (uri, message) => {
  expect(await refused('models:/churn/1', uri)).toContain(message);
  expect(asked).toEqual([]);
});

it('credentials that are not there, cannot be had, or may not: each is told', async () => {
  const aws = { region: 'us-east-1' };
  expect(await refused('models:/churn/1', SERVER, { aws })).toContain(
    'there are none here. Run it where AWS',
  );
  const credentials = async () => {
    throw new Error('The SSO session has expired');
  };
  expect(await refused('models:/churn/1', SERVER, { aws: { ...aws, credentials } })).toContain(
    'is not asked: The SSO session has expired. Allow sagemaker-mlflow:Get*',
  );
  const stranger = async () => ({ ...KEY, accessKeyId: 'AKIDSTRANGER' });
  expect(await refused('models:/churn/1', SERVER, { aws: { ...aws, credentials: stranger } })).toContain(
    'refuses (403): The security token included in the request is invalid. Allow',
  );
});
