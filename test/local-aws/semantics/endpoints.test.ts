import { readFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import {
  InvokeEndpointCommand,
  type InvokeEndpointCommandInput,
  ModelError,
  SageMakerRuntimeClient,
} from '@aws-sdk/client-sagemaker-runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { type LocalAws, nameEndpoints, REGION, startAws } from '../../../local-aws/start.ts';
import { fixtures } from '../../serving/endpoint.ts';
import { type Running, removeFolder, serviceFolder, startSls } from '../../serving/sls.ts';
import { ACCOUNT, invoke, LOGS, makeFunction, withAndWithout } from '../lambda.ts';

const SERVICE = `
service: here
provider: {name: aws}
models:
  gbm: {artifact: gbm.onnx, http: {auth: none}}
`;

/** What the container got and gives; `/silent` is never answered. */
async function container() {
  const got: { url: string; headers: IncomingHttpHeaders }[] = [];
  const server = createServer((request, response) => {
    got.push({ url: request.url ?? '', headers: request.headers });
    response.writeHead(request.url === '/busy/invocations' ? 503 : 200, {
      'content-type': 'text/plain',
      'x-amzn-sagemaker-custom-attributes': 'seen',
      'set-cookie': 'a=b',
    });
    response.end(request.url === '/busy/invocations' ? 'come again' : 'ok');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { got, url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

const text = new TextDecoder();
async function ask(aws: LocalAws, input: Partial<InvokeEndpointCommandInput>) {
  const runtime = new SageMakerRuntimeClient({ ...client(aws.endpoint), maxAttempts: 1 });
  try {
    const answer = await runtime.send(
      new InvokeEndpointCommand({ EndpointName: 'gbm', Body: '{}', ...input }),
    );
    return { ...answer, text: text.decode(answer.Body) };
  } finally {
    runtime.destroy();
  }
}

describe('InvokeEndpoint', () => {
  let aws: LocalAws;
  let server: Running;
  let other: Awaited<ReturnType<typeof container>>;
  let folder = '';
  let rows: number[][] = [];
  let labels: number[] = [];
  beforeAll(async () => {
    const { inputs, outputs } = JSON.parse(await readFile(join(fixtures, 'answers.json'), 'utf8')).models[
      'gbm.onnx'
    ];
    const [{ data }] = inputs as [{ data: number[] }];
    rows = [0, 1, 2].map((row) => data.slice(row * 30, (row + 1) * 30));
    labels = outputs.find(({ name }: { name: string }) => name === 'label').data;
    folder = await serviceFolder(SERVICE, ['gbm.onnx']);
    server = await startSls(folder, ['serve']);
    other = await container();
    aws = await startAws({
      endpoints: {
        gbm: `${server.url}/models/gbm`,
        'churn-Prod': `${other.url}/`,
        busy: `${other.url}/busy`,
        gone: 'http://127.0.0.1:9',
      },
    });
  });
  afterAll(async () => {
    await aws?.stop();
    other?.close();
    await server?.interrupt();
    await removeFolder(folder);
  });

  // https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
  it('reaches a served model with JSON and with CSV, and answers as it does', async () => {
    const json = await ask(aws, {
      ContentType: 'application/json',
      Body: JSON.stringify({ instances: rows }),
    });
    expect(json).toMatchObject({ ContentType: 'application/json', InvokedProductionVariant: 'AllTraffic' });
    const { predictions } = JSON.parse(json.text) as { predictions: { label: number }[] };
    expect(predictions.map(({ label }) => label)).toEqual(labels);
    const csv = await ask(aws, {
      ContentType: 'text/csv',
      Accept: 'text/csv',
      Body: rows.map((row) => row.join(',')).join('\n'),
    });
    expect(csv.ContentType).toContain('text/csv');
    expect(
      csv.text
        .trim()
        .split('\n')
        .map((line) => Number(line.split(',')[0])),
    ).toEqual(labels);
  });

  it('forwards the headers of the API and no others, and gives back no others', async () => {
    const answer = await ask(aws, {
      EndpointName: 'churn-Prod',
      ContentType: 'text/csv',
      Accept: 'application/json',
      CustomAttributes: 'trace=1',
    });
    expect(answer).toMatchObject({ text: 'ok', ContentType: 'text/plain', CustomAttributes: 'seen' });
    const { url, headers } = other.got.at(-1) ?? {};
    expect(url).toBe('/invocations');
    expect(headers).toMatchObject({
      'content-type': 'text/csv',
      accept: 'application/json',
      'x-amzn-sagemaker-custom-attributes': 'trace=1',
    });
    expect(Object.keys(headers ?? {}).filter((name) => /^authorization$|^x-amz-|^amz-/.test(name))).toEqual(
      [],
    );
  });

  it('fails as SageMaker does: no such endpoint, a container that refuses, one that fails, and one that is gone', async () => {
    const failure = (input: Partial<InvokeEndpointCommandInput>) =>
      ask(aws, input).catch((error: unknown) => error);
    expect(await failure({ EndpointName: 'absent' })).toMatchObject({
      name: 'ValidationError',
      message: `Endpoint absent of account ${ACCOUNT} not found.`,
      $metadata: { httpStatusCode: 400 },
    });
    const refused = await failure({ ContentType: 'application/json', Body: '{"instances": [[1]]}' });
    expect(refused).toBeInstanceOf(ModelError);
    expect(refused).toMatchObject({
      OriginalStatusCode: 400,
      OriginalMessage: expect.stringContaining('"error"'),
      message: expect.stringContaining('Received client error (400) from primary with message'),
      $metadata: { httpStatusCode: 424 },
    });
    expect(await failure({ EndpointName: 'busy' })).toMatchObject({
      name: 'ModelError',
      OriginalStatusCode: 503,
      OriginalMessage: 'come again',
    });
    expect(await failure({ EndpointName: 'gone' })).toMatchObject({
      name: 'ServiceUnavailable',
      $metadata: { httpStatusCode: 503 },
    });
  });

  // https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
  it('takes sagemaker:InvokeEndpoint on the endpoint', async () => {
    const code = `import { createRequire } from 'node:module';
const { SageMakerRuntimeClient, InvokeEndpointCommand } = createRequire(import.meta.url)('@aws-sdk/client-sagemaker-runtime');
export const handler = async ({ names }) => Promise.all(names.map((EndpointName) =>
  new SageMakerRuntimeClient({}).send(new InvokeEndpointCommand({ EndpointName, Body: '{}' })).then(() => 'done', (error) => error.name)));`;
    const Resource = `arn:aws:sagemaker:${REGION}:${ACCOUNT}:endpoint/churn-prod`;
    const may = [LOGS, { Effect: 'Allow', Action: 'sagemaker:InvokeEndpoint', Resource }];
    await makeFunction(aws, { name: 'caller', code, may });
    expect((await invoke(aws, 'caller', { names: ['churn-Prod', 'busy'] })).body).toEqual([
      'done',
      'AccessDeniedException',
    ]);
    const unsigned = await fetch(`${aws.endpoint}/endpoints/churn-Prod/invocations`, {
      method: 'POST',
      body: '{}',
    });
    expect(unsigned.status).toBe(403);
  });
});

it('without the addition there is no InvokeEndpoint', async () => {
  const here = await container();
  const { on, off } = await withAndWithout('endpoints', async (aws) => {
    await nameEndpoints(aws.endpoint, { named: here.url });
    return ask(aws, { EndpointName: 'named' }).then((answer) => answer.text, String);
  });
  here.close();
  expect(on).toBe('ok');
  expect(off).toContain('Error');
});
