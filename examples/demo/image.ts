import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { imageRegistry, sha256 } from '../../test/fakes/image-registry.ts';
import { type Base, hostBase, pushBase } from '../../test/image-base.ts';
import { loadUntilItEnds } from '../../test/image-load.ts';
import { dockerRegistry } from '../../test/image-registries.ts';
import { bringTools, lackingTools } from '../../test/image-tools.ts';
import { grpcClient } from '../../test/serving/grpc.ts';
import { type Answer, besidePython, type Known, probabilitiesIn, readKnown } from './ask.ts';
import { type Container, isThere, startContainer, unpackImage, versionOf } from './container.ts';
import { keepsCloudFormation, keepsKubernetes, validatorsPython } from './manifests.ts';
import { type Person, readPeople } from './people.ts';
import { count, expect, patiently, seconds, type Terminal, terminal, title } from './terminal.ts';

const run = promisify(execFile);

type Cleanup = (() => Promise<void> | void)[];

export type ImageStory = {
  /** The image that it is laid over, by its digest; undefined: this machine’s own Node.js becomes one. */
  readonly base: string | undefined;
  /** A hundredth of the questions, as the tests run it. */
  readonly isShort: boolean;
};

const SERVICE = `service: shop
provider: { name: aws, region: us-east-1 }
plugins: [./plugin.mjs]
models:
  employment:
    artifact: employment.onnx
`;

/** SageMaker takes images from ECR alone, and of the region of the service. */
const ECR = '123456789012.dkr.ecr.us-east-1.amazonaws.com/models/employment';

/**
 * `npm run demo -- --with image`: a model becomes a container image without Docker, is pushed, read and run by programs of
 * others, asked, and ended under load; then the files for Kubernetes and SageMaker, which others look at.
 *
 * @param cleanup gets what must be ended, in the order of its start
 */
export async function imageStory(
  root: string,
  cleanup: Cleanup,
  { base: given, isShort }: ImageStory,
): Promise<void> {
  if (process.platform !== 'linux')
    throw new Error(
      'What is made here is a program for Linux, and this demo runs it: it needs Linux with glibc, also as a virtual machine or WSL.',
    );
  const lacks = lackingTools(isThere);
  if (lacks.length > 0)
    console.log(
      `Not here: ${lacks.join(', ')} (${bringTools(lacks)}). Each time it is told what stands in for them.`,
    );
  const python = await validatorsPython();
  const folder = mkdtempSync(join(tmpdir(), 'demo-image-'));
  cleanup.push(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }));
  // What commands leave in the folder for temporary files goes with it.
  process.env.TMPDIR = folder;
  const example = (name: string): string => join(root, 'examples', 'employment', name);
  const known = readKnown(example('answers.json'));
  const people = readPeople(example('reference.csv')).slice(0, isShort ? 40 : 4000);

  title('1. The service');
  const service = writeService(root, folder, example('employment.onnx'));
  const commands = terminal(service);
  cleanup.push(commands.end);

  title('2. A registry, and what the image is laid over');
  const host = await startRegistry(folder, cleanup);
  const base = given ?? (await baseOfThisMachine(host));
  console.log(`base: ${base}`);

  title('3. The image, made and pushed without Docker');
  const name = `${host}/models/employment`;
  const digest = await makeImage(commands, base, `${name}:v1`);
  await readBack(host, 'models/employment', 'v1', digest);

  title('4. It runs');
  const container = await runImage(
    join(service, 'image'),
    join(folder, 'bundle'),
    given === undefined,
    cleanup,
  );

  title('5. It is asked');
  const url = `http://127.0.0.1:${container.port}`;
  await ask(url, container.grpc, known);

  title('6. The same model by `sls models serve`: are the answers the same?');
  await compare(commands, url, people);

  title('7. A new version takes its place: SIGTERM while eight callers ask');
  await endUnderLoad(container, JSON.stringify(known.request), isShort ? 200 : 2000);

  title('8. Files for Kubernetes, of exactly that image');
  await commands.sls(['models', 'export', '--to', 'kubernetes', '--image', `${name}@${digest}`]);
  const objects = join(service, 'kubernetes', 'employment');
  console.log(await patiently('kubernetes-validate', keepsKubernetes(python, objects)));

  title('9. And for SageMaker, which takes it from ECR: the same digest, as if it were pushed there');
  await commands.sls(['models', 'export', '--to', 'sagemaker', '--image', `${ECR}@${digest}`]);
  const template = join(service, 'sagemaker', 'employment', 'template.yaml');
  console.log(await patiently('cfn-lint', keepsCloudFormation(python, template)));
  console.log('no cluster and no account has taken them: docs/export.md says what was tried of them');
}

function writeService(root: string, folder: string, artifact: string): string {
  const service = join(folder, 'service');
  mkdirSync(service);
  writeFileSync(join(service, 'serverless.yml'), SERVICE);
  const plugin = pathToFileURL(join(root, 'plugins', 'models', 'plugin.ts')).href;
  writeFileSync(join(service, 'plugin.mjs'), `export { default } from ${JSON.stringify(plugin)};\n`);
  copyFileSync(artifact, join(service, 'employment.onnx'));
  console.log(SERVICE.trimEnd());
  return service;
}

/** @returns `127.0.0.1:<port>` */
async function startRegistry(folder: string, cleanup: Cleanup): Promise<string> {
  if (isThere('docker-registry')) {
    const starting = dockerRegistry(join(folder, 'registry'));
    // Also where this is interrupted before it answers.
    cleanup.push(() => starting.then(({ child }) => void child.kill('SIGKILL')).catch(() => undefined));
    const { port } = await starting;
    console.log(`registry: ${await versionOf('docker-registry')} at 127.0.0.1:${port}`);
    return `127.0.0.1:${port}`;
  }
  const server = await imageRegistry();
  cleanup.push(server.stop);
  console.log(`registry: the one of our own tests at ${server.host}, since docker-registry is not here`);
  return server.host;
}

/** @returns `host/repository@sha256:…` */
async function baseOfThisMachine(host: string): Promise<string> {
  const since = performance.now();
  const packing = hostBase().catch((error: Error): Base => {
    const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
    throw new Error(
      `This machine’s Node.js cannot become a base: ${error.message}. Name one: npm run demo -- --with image --base host/repository@sha256:…, an image for linux/${arch} with Node.js 24 and glibc.`,
    );
  });
  const base = await patiently('packing this machine’s Node.js', packing);
  await patiently('pushing it', pushBase(`http://${host}`, 'node', base));
  const bytes = base.blobs.reduce((sum, { length }) => sum + length, 0);
  console.log(
    `this machine’s Node.js ${process.versions.node} and its libraries, ${(bytes / 1e6).toFixed(1)} MB packed, in ${seconds(since)}: needs no network. Another base is named by --base`,
  );
  return `${host}/node@${base.manifest.digest}`;
}

/** @returns its digest */
async function makeImage({ sls }: Terminal, base: string, to: string): Promise<string> {
  const since = performance.now();
  const asked = ['models', 'image', '--base', base, '--push', to, '--output', 'image'];
  const told = await patiently('packaging, and sending what the registry lacks', sls(asked));
  const digest = /^digest\s+(sha256:[0-9a-f]{64})$/m.exec(told)?.[1];
  if (digest === undefined) throw new Error('`sls models image` tells no digest.');
  console.log(`made and pushed in ${seconds(since)}`);
  return digest;
}

/** The registry has exactly that one, by a program of others where it is here. */
async function readBack(host: string, repository: string, tag: string, digest: string): Promise<void> {
  if (isThere('skopeo')) {
    const place = `docker://${host}/${repository}:${tag}`;
    const { stdout } = await run('skopeo', ['inspect', '--tls-verify=false', place]);
    const { Digest, Architecture, Layers } = JSON.parse(stdout);
    expect(Digest === digest, `${repository}:${tag} is ${digest} for skopeo, too`);
    console.log(
      `${await versionOf('skopeo')} finds it there: the same digest, linux/${Architecture}, ${Layers.length} layers`,
    );
    return;
  }
  const answer = await fetch(`http://${host}/v2/${repository}/manifests/${tag}`, {
    headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
  });
  const found = sha256(Buffer.from(await answer.arrayBuffer()));
  expect(found === digest, `${repository}:${tag} is ${digest} at the registry, too`);
  console.log('the registry gives a manifest of the same digest for the tag (skopeo is not here)');
}

async function runImage(
  layout: string,
  bundle: string,
  isOurs: boolean,
  cleanup: Cleanup,
): Promise<Container> {
  const unpacked = await patiently('unpacking', unpackImage(layout, 'employment', bundle, isOurs));
  console.log(`unpacked by ${unpacked.by}`);
  const since = performance.now();
  const starting = startContainer(
    unpacked,
    (text) => console.log(text),
    (step) => void cleanup.push(step),
  );
  const container = await patiently('the start', starting);
  const ready = async (): Promise<void> => {
    const until = performance.now() + READY_MS;
    while ((await fetch(`http://127.0.0.1:${container.port}/v2/health/ready`)).status !== 200) {
      expect(performance.now() < until, 'it is ready within a minute');
      await sleep(50);
    }
  };
  await patiently('loading the model', ready());
  console.log(`run by ${container.by}, ${container.rights}`);
  console.log(`ready after ${seconds(since)} on port ${container.port}`);
  return container;
}

const READY_MS = 60_000;

async function ask(url: string, grpc: number, known: Known): Promise<void> {
  const model = `${url}/v2/models/employment`;
  const { inputs, outputs } = (await get(model)) as Record<'inputs' | 'outputs', readonly object[]>;
  console.log(`GET  /v2/models/employment: ${inputs.length} inputs, ${outputs.length} outputs`);

  console.log('POST /v2/models/employment/infer:');
  const [difference] = besidePython(known, [['image', probabilitiesIn(await infer(url, known.request))]]);
  console.log(`largest difference ${difference}`);

  console.log('POST /invocations, as SageMaker asks, one person as csv:');
  const row = known.request.inputs.map(({ data }) => data[0]).join(',');
  const answer = await fetch(`${url}/invocations`, {
    method: 'POST',
    headers: { 'content-type': 'text/csv', accept: 'text/csv' },
    body: `${row}\n`,
  });
  const text = (await answer.text()).trim();
  expect(answer.status === 200 && text !== '', `/invocations answers, not ${answer.status} ${text}`);
  console.log(`  ${row}\n  ${text}`);
  expect((await fetch(`${url}/ping`)).status === 200, '/ping is 200');

  console.log('ModelInfer, by gRPC:');
  const [ofCall] = besidePython(known, [['image', probabilitiesIn(await call(grpc, known.request))]]);
  console.log(`largest difference ${ofCall}`);

  const metrics = (await (await fetch(`${url}/metrics`)).text()).split('\n');
  const counted = metrics.filter((line) => /^serverless_models_(requests|errors)_total\{/.test(line));
  console.log(`GET  /metrics, for Prometheus, among ${metrics.length} lines:\n  ${counted.join('\n  ')}`);
  expect(
    counted.some((line) => /requests_total\{.*\} 3$/.test(line)),
    'three requests are counted',
  );
}

async function compare({ serve }: Terminal, url: string, people: readonly Person[]): Promise<void> {
  const served = await patiently('packaging', serve());
  const request = aboutAll(people);
  const [ofImage, ofServe] = await Promise.all(
    [url, served].map(async (at) => JSON.stringify((await infer(at, request)).outputs)),
  );
  expect(ofImage === ofServe, 'both give the same answers');
  console.log(
    `${count(people.length)} people in one request to each: ${count(ofImage?.length ?? 0)} bytes of outputs, not one of them different`,
  );
}

/** All of them in one request. */
function aboutAll(people: readonly Person[]): Known['request'] {
  const columns = Object.keys(people[0] ?? {});
  return {
    inputs: columns.map((name) => ({
      name,
      datatype: name === 'AGEP' ? 'FP32' : 'INT64',
      shape: [people.length, 1],
      data: people.map((person) => person[name] ?? Number.NaN),
    })),
  };
}

async function endUnderLoad({ port, terminate, ended }: Container, body: string, ms: number): Promise<void> {
  let since = 0;
  const loading = loadUntilItEnds({ port, model: 'employment', body }, ms, async () => {
    since = performance.now();
    await terminate();
  });
  const { answered, lost, seen } = await patiently('asking', loading);
  const code = await patiently('its end', ended);
  expect(
    lost.length === 0 && answered > 0,
    `no request is lost, not ${lost.length} of ${answered}: ${lost[0]}`,
  );
  expect(seen === 503, `/v2/health/ready is 503 then, not ${seen}`);
  expect(code === 0, `it ends with 0, not ${code}`);
  console.log(
    `${count(answered)} requests answered, none lost: /v2/health/ready became 503, callers went elsewhere, and it ended with 0 ${seconds(since)} after the signal`,
  );
}

/** The same question by gRPC’s own library. */
async function call(port: number, { inputs }: Known['request']): Promise<Answer> {
  const client = grpcClient(port);
  try {
    const { status, details, answer } = await client.call('ModelInfer', {
      model_name: 'employment',
      inputs: inputs.map(({ name, datatype, shape, data }) => ({
        ...{ name, datatype, shape },
        contents: { [datatype === 'FP32' ? 'fp32_contents' : 'int64_contents']: data },
      })),
    });
    expect(status === 0, `gRPC answers, not ${status} ${details}`);
    type Told = Omit<Answer['outputs'][number], 'data'> & { contents: Record<string, number[]> };
    const outputs = (answer.outputs as readonly Told[]).map(({ contents, ...head }) => ({
      ...head,
      data: Object.values(contents).flat(),
    }));
    return { outputs };
  } finally {
    client.close();
  }
}

async function get(url: string): Promise<unknown> {
  const answer = await fetch(url);
  expect(answer.status === 200, `${url} answers, not ${answer.status}`);
  return answer.json();
}

async function infer(at: string, request: object): Promise<Answer> {
  const answer = await fetch(`${at}/v2/models/employment/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
  const text = await answer.text();
  expect(answer.status === 200, `${at} answers, not ${answer.status}: ${text}`);
  return JSON.parse(text);
}
