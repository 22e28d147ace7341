import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { GetObjectCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { startAws } from '../../local-aws/start.ts';
import { mlflowPython, startMlflow } from '../../test/soak/mlflow/server.ts';
import { readKnown } from './ask.ts';
import { expect, seconds, terminal, title } from './terminal.ts';

const run = promisify(execFile);

/** What is live is written at the end of a release, by the worker’s own tick where that was late. */
const TOLD_MS = 120_000;

type VersionRecord = { readonly origin?: { readonly version: string } };

/** What the registry keeps of a version that was deployed, in the deployment bucket. */
async function recordOf(endpoint: string, number: string): Promise<VersionRecord> {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const s3 = new S3Client({ endpoint, region: 'us-east-1', credentials, forcePathStyle: true });
  try {
    const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
    const Bucket = Buckets.find(({ Name }) => Name?.includes('serverlessdeploymentbucket'))?.Name;
    const Key = `models/000000000000/us-east-1/from-mlflow/dev/versions/employment/${number}.json`;
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    return JSON.parse((await Body?.transformToString()) ?? '{}');
  } finally {
    s3.destroy();
  }
}

const SERVICE = `service: from-mlflow
provider: { name: aws, region: us-east-1 }
plugins: [./plugin.mjs]
custom:
  models:
    mlflow: { uri: '\${env:MLFLOW_TRACKING_URI}', alias: production }
models:
  employment:
    artifact: models:/employment@champion
`;

/**
 * `npm run demo -- --with mlflow`: a model that was logged with its dataset and metric is deployed by its alias, and
 * again when the alias moves; what is live is told to MLflow, also after a rollback. MLflow's own server, and
 * its own client.
 *
 * @param cleanup gets what must be ended, in the order of its start
 */
export async function mlflowStory(root: string, cleanup: (() => Promise<void> | void)[]): Promise<void> {
  const example = (name: string): string => join(root, 'examples', 'employment', name);
  const folder = mkdtempSync(join(tmpdir(), 'demo-mlflow-'));
  cleanup.push(() => rmSync(folder, { recursive: true, force: true }));
  const python = await mlflowPython('The demo with MLflow');

  title('1. MLflow’s own server');
  let since = performance.now();
  const mlflow = await startMlflow(python, folder, []);
  cleanup.push(mlflow.stop);
  console.log(`answers at ${mlflow.address} after ${seconds(since)}`);

  title('2. A training script logs a model, with its dataset and what was measured on it');
  const log = async (graph: string, auc: string): Promise<void> => {
    const script = join(root, 'examples', 'demo', 'log_version.py');
    console.log(`$ python log_version.py ${graph} reference.csv ${auc}`);
    const { stdout } = await run(python, [script, example(graph), example('reference.csv'), auc], {
      cwd: folder,
      env: { ...process.env, MLFLOW_TRACKING_URI: mlflow.address, LOGNAME: 'ann', USER: 'ann' },
    });
    console.log(stdout.trim().split('\n').at(-1));
  };
  await log('employment.onnx', '0.905');

  title('3. The service: one line says which model');
  const service = join(folder, 'service');
  mkdirSync(service);
  writeFileSync(join(service, 'serverless.yml'), SERVICE);
  const plugin = pathToFileURL(join(root, 'plugins', 'models', 'plugin.ts')).href;
  writeFileSync(join(service, 'plugin.mjs'), `export { default } from ${JSON.stringify(plugin)};\n`);
  console.log(SERVICE.trimEnd());
  const { sls, end } = terminal(service);
  cleanup.push(end);
  const own = { MLFLOW_TRACKING_URI: mlflow.address };
  const listed = await sls(['models', 'list'], { env: own });
  expect(
    /employment version 1 of MLflow \(champion\), run \w+, by ann/.test(listed),
    'the list names the run',
  );

  title('4. A local AWS, and the deploy');
  since = performance.now();
  const aws = await startAws({ log: (line) => console.log(line) });
  cleanup.push(() => aws.stop());
  const env = { ...aws.env, ...own };
  const live = async (version: string): Promise<void> => {
    const path = '/api/2.0/mlflow/registered-models/alias?name=employment&alias=production';
    const until = performance.now() + TOLD_MS;
    for (let found = ''; found !== version; ) {
      if (performance.now() > until)
        throw new Error(`MLflow has version ${found} as production, not ${version}`);
      const { model_version: told } = (await fetch(`${mlflow.address}${path}`).then((answer) =>
        answer.json(),
      )) as {
        readonly model_version?: { readonly version: string };
      };
      found = told?.version ?? '';
      if (found !== version) await sleep(500);
    }
    console.log(`production is version ${version} in MLflow`);
  };
  await sls(['deploy'], { env });
  console.log(`deployed in ${seconds(since)}, with the start of the local AWS`);
  const request = join(service, 'request.json');
  writeFileSync(request, JSON.stringify(readKnown(example('answers.json')).request));
  const ask = () =>
    sls(['models', 'invoke', '--model', 'employment', '--path', relative(service, request)], { env });
  await ask();
  await live('1');

  title('5. A better one is logged, and the alias moves: what would a deploy change?');
  await log('versions/2.onnx', '0.906');
  const planned = await sls(['models', 'plan'], { env, silent: true });
  const told = planned.split('\n').filter((line) => /employment@champion|of MLflow|the live one/.test(line));
  console.log(`$ sls models plan\n${told.join('\n')}`);
  expect(planned.includes('auc 0.905 → 0.906'), 'the plan tells what differs');

  title('6. Deploy again: the same file, another version');
  await sls(['deploy'], { env, brief: true });
  await ask();
  await live('2');

  title('7. What is kept of it: each version with its run, data and metric');
  for (const number of ['1', '2']) {
    const record = await recordOf(aws.endpoint, number);
    console.log(`versions/employment/${number}.json: ${JSON.stringify(record.origin)}`);
    expect(record.origin?.version === number, `the record of version ${number} names that of MLflow`);
  }

  title('8. Back again: MLflow is told that, too');
  await sls(['models', 'rollback', '--model', 'employment', '--reason', 'ann asked for it'], { env });
  await live('1');

  title('9. Remove');
  await sls(['remove'], { env, brief: true });
}
