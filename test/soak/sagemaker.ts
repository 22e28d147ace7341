import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { readArtifact } from '../../plugins/models/artifact/read.ts';
import type { SourceContext } from '../../plugins/models/contracts/sources/artifact-source.ts';
import type { RecordedPackages } from '../fakes/sagemaker-recorded.ts';
import { motoPython, startMoto } from './sagemaker/moto.ts';

const run = promisify(execFile);
const FIXTURES = join(import.meta.dirname, '..', 'fixtures');
const MODELS = join(FIXTURES, 'models');

/**
 * Versions that boto3 registered at moto's Model Registry and S3, read by the plugin. `UPDATE=1` keeps what
 * moto answered, which the fake of every run is held to.
 */
export async function sageMakerPackages(): Promise<string> {
  const python = await motoPython();
  const folder = await mkdtemp(join(tmpdir(), 'soak-sagemaker-'));
  const before = { ...process.env };
  const moto = await startMoto(python);
  const recorded = await recorder(moto.address);
  try {
    process.env.SERVERLESS_MODELS_CACHE = join(folder, 'cache');
    process.env.AWS_ENDPOINT_URL_S3 = moto.address;
    process.env.AWS_ENDPOINT_URL_SAGEMAKER = recorded.address;
    const models = [join(MODELS, 'add.onnx'), join(MODELS, 'external', 'model.onnx')];
    const script = join(import.meta.dirname, 'sagemaker', 'packages.py');
    const { stdout } = await run(python, [script, moto.address, ...models]);
    const { lacks } = JSON.parse(stdout) as { readonly lacks: readonly string[] };
    const approved = await readArtifact('sagemaker:churn@approved', contextIn(folder), () => {});
    const alone = await readArtifact(models[0] ?? '', contextIn(folder), () => {});
    if (approved.digest !== alone.digest) throw new Error('the approved version is not what was registered');
    const { origin } = approved;
    const told = [origin?.version, origin?.commit, origin?.approval?.reason, origin?.measured];
    if (told.join() !== '1,c0ffee,AUC 0.91 on November,s3://trained/q.json')
      throw new Error(`of the approved version is known ${JSON.stringify(origin)}`);
    const second = await readArtifact('sagemaker:churn/2', contextIn(folder), () => {});
    const external = await readArtifact(models[1] ?? '', contextIn(folder), () => {});
    if (second.digest !== external.digest) throw new Error('version 2 is not what was registered');
    const refused = ['churn/3', 'churn/9', 'empty@approved', 'none@approved', 'none/1'];
    for (const reference of refused) await mustFail(`sagemaker:${reference}`, folder);
    if (process.env.UPDATE)
      await writeFile(
        join(FIXTURES, 'sagemaker', 'answers.json'),
        `${JSON.stringify(recorded.answers, null, 1)}\n`,
      );
    return `2 versions as boto3 registered them, ${refused.length} refusals, ${recorded.answers.length} answers; moto forgets ${lacks.join(' and ')}`;
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
    recorded.close();
    moto.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const contextIn = (serviceDir: string): SourceContext => ({
  key: 'models.churn.artifact',
  serviceDir,
  progress: () => {},
  aws: {
    region: 'us-east-1',
    credentials: async () => ({ accessKeyId: 'test', secretAccessKey: 'test' }),
  },
});

async function mustFail(reference: string, folder: string): Promise<void> {
  const read = await readArtifact(reference, contextIn(folder), () => {}).catch(
    (error: Error) => error.message,
  );
  if (typeof read !== 'string') throw new Error(`${reference} was read`);
  console.error(read);
}

/** Passes questions on, and keeps the answers. */
async function recorder(to: string) {
  const answers: RecordedPackages[] = [];
  const server = createServer(async (request, response) => {
    const { host: _, connection: __, 'content-length': ___, ...headers } = request.headers;
    const body = await buffer(request);
    const answer = await fetch(`${to}${request.url}`, {
      method: request.method ?? 'POST',
      headers: headers as Record<string, string>,
      body: new Uint8Array(body),
    });
    const text = await answer.text();
    answers.push({
      operation: String(request.headers['x-amz-target']).replace('SageMaker.', ''),
      asked: JSON.parse(body.toString()),
      status: answer.status,
      answer: JSON.parse(text),
    });
    const type = answer.headers.get('content-type') ?? '';
    response.writeHead(answer.status, { 'content-type': type }).end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}`, answers, close: () => void server.close() };
}
