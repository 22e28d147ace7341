import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { Tensor } from './people.ts';

/** Five people, and what Python's onnxruntime answered about them. */
export type Known = {
  readonly onnxruntime: string;
  readonly request: { readonly inputs: readonly Tensor[] };
  readonly answer: Answer;
};
export type Answer = { readonly outputs: readonly Tensor[] };

export const readKnown = (file: string): Known => JSON.parse(readFileSync(file, 'utf8'));

/** Asks over HTTP, in JSON and in binary, compares both with Python's answer, and takes the time of fifty requests. */
export async function askOverHttp(base: string, known: Known): Promise<void> {
  const url = `${base}/v2/models/employment/infer`;
  const text = JSON.stringify(known.request);
  const json = await post(url, text, { 'content-type': 'application/json' });
  const fromJson = probabilitiesIn(JSON.parse(json.bytes.toString()));
  const fromBinary = await askInBinary(url, known.request.inputs);
  console.log('');
  const [ofJson, ofBinary] = besidePython(known, [
    ['endpoint, JSON', fromJson],
    ['endpoint, binary', fromBinary],
  ]);
  console.log(`largest difference: JSON ${ofJson}, binary ${ofBinary}`);

  const times: number[] = [];
  for (let index = 0; index < 50; index++)
    times.push((await post(url, text, { 'content-type': 'application/json' })).ms);
  times.sort((left, right) => left - right);
  console.log(
    `first request ${json.ms.toFixed(0)} ms; fifty more: median ${times[25]?.toFixed(1)} ms, 95th percentile ${times[47]?.toFixed(1)} ms (through proxy and local AWS)`,
  );
}

/**
 * Prints what each gave beside what Python gave.
 * @returns the largest difference of each
 * @throws where one is larger than rounding
 */
export function besidePython(
  known: Known,
  given: readonly (readonly [who: string, probabilities: readonly number[]])[],
): readonly string[] {
  const python = probabilitiesIn(known.answer);
  console.log('probability of being employed, five people:');
  for (const [who, values] of [...given, [`Python onnxruntime ${known.onnxruntime}`, python] as const])
    console.log(`  ${who.padEnd(27)} ${employed(values).join('  ')}`);
  return given.map(([, values]) => difference(values, python).toExponential(1));
}

async function askInBinary(url: string, inputs: readonly Tensor[]): Promise<readonly number[]> {
  const { body, headerBytes } = binaryRequest(inputs);
  const { response, bytes } = await post(url, body, {
    'content-type': 'application/octet-stream',
    'inference-header-content-length': String(headerBytes),
  });
  const split = Number(response.headers.get('inference-header-content-length'));
  const described: { outputs: (Tensor & { parameters: { binary_data_size: number } })[] } = JSON.parse(
    bytes.subarray(0, split).toString(),
  );
  let offset = split;
  for (const { name, parameters } of described.outputs) {
    const end = offset + parameters.binary_data_size;
    if (name === 'probabilities')
      return [...new Float32Array(new Uint8Array(bytes.subarray(offset, end)).buffer)];
    offset = end;
  }
  throw new Error(`${url} gave no probabilities.`);
}

/** The request in the protocol's binary form: a JSON header, then little-endian values. */
function binaryRequest(inputs: readonly Tensor[]): { readonly body: Buffer; readonly headerBytes: number } {
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
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly response: Response; readonly bytes: Buffer; readonly ms: number }> {
  const since = performance.now();
  const response = await fetch(url, { method: 'POST', body, headers });
  const bytes = Buffer.from(await response.arrayBuffer());
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${bytes.toString()}`);
  return { response, bytes, ms: performance.now() - since };
}

export const probabilitiesIn = ({ outputs }: Answer): readonly number[] =>
  outputs.find(({ name }) => name === 'probabilities')?.data ?? [];

/** Two probabilities a person: not employed, employed. */
const employed = (probabilities: readonly number[]): readonly string[] =>
  probabilities.filter((_, index) => index % 2 === 1).map((value) => value.toFixed(6));

/** Largest difference between these probabilities and the ones that Python gave. */
function difference(probabilities: readonly number[], expected: readonly number[]): number {
  if (expected.length !== probabilities.length)
    throw new Error(`${probabilities.length} probabilities, ${expected.length} expected.`);
  const largest = Math.max(
    ...expected.map((value, index) => Math.abs(value - (probabilities[index] ?? Number.NaN))),
  );
  if (!(largest <= 1e-5)) throw new Error(`The endpoint and Python’s onnxruntime differ by ${largest}.`);
  return largest;
}
