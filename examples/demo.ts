/**
 * `npm run demo`: deploys the service in this repository's root to a local AWS with the real `sls deploy`, and talks
 * to it as a client would. It uses only commands and clients that a user has, and leaves nothing running.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { startAws } from '../test/local-aws/start.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const local = join(root, '.local');
mkdirSync(local, { recursive: true });
const began = performance.now();
const children = new Set<ChildProcess>();

type Tensor = { name: string; datatype: string; shape: number[]; data: number[] };
type Answers = { onnxruntime: string; request: { inputs: Tensor[] }; answer: { outputs: Tensor[] } };
const known: Answers = JSON.parse(readFileSync(join(root, 'examples', 'employment', 'answers.json'), 'utf8'));

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;
const title = (text: string): void => console.log(`\n\x1b[1m${text}\x1b[0m`);

/** Runs `sls` to its end, showing what it prints; throws when it fails. */
async function sls(args: string[], env: Record<string, string>): Promise<void> {
  console.log(`$ sls ${args.join(' ')}`);
  const child = spawn('sls', args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  children.add(child);
  const code = await new Promise((resolve) => child.once('exit', resolve));
  children.delete(child);
  if (code !== 0) throw new Error(`sls ${args.join(' ')} ended with ${code}.`);
}

/** Starts `sls models proxy` and waits for the URL it prints. */
async function proxy(env: Record<string, string>): Promise<string> {
  console.log('$ sls models proxy --port 0');
  const child = spawn('sls', ['models', 'proxy', '--port', '0'], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  return new Promise((resolve, reject) => {
    let text = '';
    const look = (chunk: Buffer): void => {
      text += chunk.toString();
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0];
      if (url !== undefined) resolve(url);
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    child.once('exit', (code) => reject(new Error(`The proxy ended with ${code}:\n${text}`)));
  });
}

/** @returns the request's tensors in the protocol's binary form: a JSON header, then little-endian values. */
function binaryRequest(inputs: Tensor[]): { body: Buffer; headerBytes: number } {
  const values = inputs.map(({ datatype, data }) =>
    Buffer.from(
      datatype === 'FP32' ? Float32Array.from(data).buffer : BigInt64Array.from(data, BigInt).buffer,
    ),
  );
  const header = Buffer.from(
    JSON.stringify({
      inputs: inputs.map(({ name, datatype, shape }, index) => ({
        name,
        datatype,
        shape,
        parameters: { binary_data_size: values[index]?.length },
      })),
      parameters: { binary_data_output: true },
    }),
  );
  return { body: Buffer.concat([header, ...values]), headerBytes: header.length };
}

async function post(
  url: string,
  body: Buffer | string,
  headers: Record<string, string>,
): Promise<{ response: Response; bytes: Buffer; ms: number }> {
  const since = performance.now();
  const response = await fetch(url, { method: 'POST', body, headers });
  const bytes = Buffer.from(await response.arrayBuffer());
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${bytes.toString()}`);
  return { response, bytes, ms: performance.now() - since };
}

/** Largest difference between these probabilities and the ones that Python gave. */
function difference(probabilities: readonly number[]): number {
  const expected = known.answer.outputs.find(({ name }) => name === 'probabilities')?.data ?? [];
  if (expected.length !== probabilities.length)
    throw new Error(`${probabilities.length} probabilities, ${expected.length} expected.`);
  const largest = Math.max(
    ...expected.map((value, index) => Math.abs(value - (probabilities[index] ?? Number.NaN))),
  );
  if (!(largest <= 1e-5)) throw new Error(`The endpoint and Python's onnxruntime differ by ${largest}.`);
  return largest;
}

async function story(): Promise<void> {
  title('1. What the model takes and gives');
  await sls(['models', 'list'], {});
  title('2. What will be created, and what it costs a month');
  await sls(['models', 'plan'], {});

  title('3. A local AWS');
  let since = performance.now();
  const aws = await startAws({ log: (line) => console.log(line) });
  cleanup.push(() => aws.stop());
  console.log(`answers at ${aws.endpoint} after ${seconds(since)}`);

  title('4. Deploy');
  since = performance.now();
  await sls(['deploy'], aws.env);
  console.log(`deployed in ${seconds(since)}`);

  title('5. Ask it, by invoke');
  const file = join(local, 'request.json');
  writeFileSync(file, JSON.stringify(known.request));
  await sls(['models', 'invoke', '--model', 'employment', '--path', relative(root, file)], aws.env);

  title('6. Ask it over HTTP: guarded by IAM, so through the proxy that signs');
  const base = await proxy(aws.env);
  const url = `${base}/v2/models/employment/infer`;
  console.log(`signing proxy at ${base}, docs page at ${base}/docs`);
  const json = await post(url, JSON.stringify(known.request), { 'content-type': 'application/json' });
  const answer: Answers['answer'] = JSON.parse(json.bytes.toString());
  const probabilities = answer.outputs.find(({ name }) => name === 'probabilities')?.data ?? [];
  const { body, headerBytes } = binaryRequest(known.request.inputs);
  const binary = await post(url, body, {
    'content-type': 'application/octet-stream',
    'inference-header-content-length': String(headerBytes),
  });
  const split = Number(binary.response.headers.get('inference-header-content-length'));
  const described: { outputs: (Tensor & { parameters: { binary_data_size: number } })[] } = JSON.parse(
    binary.bytes.subarray(0, split).toString(),
  );
  let offset = split;
  let fromBinary: number[] = [];
  for (const output of described.outputs) {
    const size = output.parameters.binary_data_size;
    const slice = binary.bytes.subarray(offset, offset + size);
    if (output.name === 'probabilities') fromBinary = [...new Float32Array(new Uint8Array(slice).buffer)];
    offset += size;
  }
  const python = known.answer.outputs.find(({ name }) => name === 'probabilities')?.data ?? [];
  console.log('\nprobability of being employed, the first five people:');
  console.log(
    `  endpoint, JSON              ${probabilities
      .filter((_, index) => index % 2 === 1)
      .map((value) => value.toFixed(6))
      .join('  ')}`,
  );
  console.log(
    `  endpoint, binary            ${fromBinary
      .filter((_, index) => index % 2 === 1)
      .map((value) => value.toFixed(6))
      .join('  ')}`,
  );
  console.log(
    `  Python onnxruntime ${known.onnxruntime}   ${python
      .filter((_, index) => index % 2 === 1)
      .map((value) => value.toFixed(6))
      .join('  ')}`,
  );
  console.log(
    `largest difference: JSON ${difference(probabilities).toExponential(1)}, binary ${difference(fromBinary).toExponential(1)}`,
  );

  const times: number[] = [];
  for (let index = 0; index < 50; index++)
    times.push((await post(url, JSON.stringify(known.request), { 'content-type': 'application/json' })).ms);
  times.sort((left, right) => left - right);
  console.log(
    `first request ${json.ms.toFixed(0)} ms; fifty more: median ${times[25]?.toFixed(1)} ms, 95th percentile ${times[47]?.toFixed(1)} ms (through proxy and local AWS)`,
  );

  title('7. What was created');
  await sls(['info'], aws.env);

  title('8. Remove');
  await sls(['remove'], aws.env);
}

const cleanup: (() => Promise<void> | void)[] = [
  () => {
    for (const child of children) child.kill('SIGTERM');
  },
];
let ending: Promise<void> | undefined;
/** Ends what was started, last first; a second call waits for the first. */
function end(): Promise<void> {
  ending ??= (async () => {
    for (const step of cleanup.reverse()) await step();
  })();
  return ending;
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => end().finally(() => process.exit(130)));

try {
  await story();
  await end();
  console.log(`\nthe story took ${seconds(began)}`);
  console.log('demo: ok');
} catch (error) {
  await end();
  console.error(error instanceof Error ? error.message : error);
  console.log('demo: failed');
  process.exitCode = 1;
}
