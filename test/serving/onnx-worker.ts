/**
 * A program for onnx-cases.test.ts: asks the handler what Python's onnxruntime was asked, in JSON and in
 * binary, and sends its parent what came of each case. A process of its own, since a fault in a kernel would
 * end it.
 *
 *   node onnx-worker.ts <folder of cases.jsonl> <share> <shares>
 */
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fromAnswer, type HttpAnswer, toEvent } from '../../core/host/gateway.ts';
import type { Signature } from '../../core/tensor/contract.ts';
import { createHandler } from '../../functions/infer/handler.ts';
import { declared } from '../../plugins/models/artifact/onnx/inspect.ts';
import { readOnnxFile } from '../../plugins/models/artifact/onnx/onnx.ts';
import { isProblemError } from '../../plugins/models/problems/errors.ts';
import type { Case, Outcome, Stored } from './onnx-cases.ts';
import { binaryRequest, difference, fromBinary, jsonRequest, readOutputs, type Tensor } from './tensors.ts';

/**
 * The same library computed both answers, so they should be equal; kernels may differ by the last bits of a
 * sum.
 */
const TOLERANCE = 1e-5;

const [folder = '', share = '0', shares = '1'] = process.argv.slice(2);
const tensors = readFileSync(join(folder, 'tensors.bin'));
const content = ({ at, bytes }: Stored): Buffer => tensors.subarray(at, at + bytes);
const valued = (stored: Stored): Tensor => ({
  ...stored,
  values: fromBinary(stored.datatype, content(stored)),
});

function signatureOf(model: string): Signature {
  const info = readOnnxFile(model);
  const { inputs, outputs, omitted } = declared({ files: [], digest: '', bytes: 0, info }, 'case');
  return {
    inputs: inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
    outputs: outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape: shape ?? [] })),
    omitted,
  };
}

/** The same tensors, but for values that are random in ONNX Runtime itself. */
function compare(answer: HttpAnswer, expected: readonly Stored[]): string | undefined {
  if (answer.status !== 200) return `${answer.status} ${answer.body.toString().slice(0, 300)}`;
  const headers = answer.headers as Record<string, string>;
  const got = readOutputs(headers, answer.body);
  const wanted = expected.map((stored) => {
    const random = stored.random ? got.find(({ name }) => name === stored.name) : undefined;
    return random ? { ...valued(stored), values: random.values } : valued(stored);
  });
  return difference(got, wanted, TOLERANCE);
}

async function run({ case: name, model, sets }: Extract<Case, { model: string }>): Promise<Outcome> {
  let signature: Signature;
  try {
    signature = signatureOf(model);
  } catch (error) {
    if (!isProblemError(error)) throw error;
    return { case: name, unsupported: error.problems.map(({ message }) => message).join(' ') };
  }
  process.env.LAMBDA_TASK_ROOT = dirname(model);
  const handler = await createHandler({
    schema: 1,
    model: 'case',
    identity: name,
    signature,
    opset: 0,
    file: basename(model),
    remote: [],
  });
  const ask = async (headers: Record<string, string>, body: Buffer): Promise<HttpAnswer> => {
    const event = toEvent({ method: 'POST', target: '/v2/models/case/infer', headers, body });
    return fromAnswer(await handler(event, { awsRequestId: name }));
  };
  for (const { inputs, outputs } of sets) {
    const { headers, body } = binaryRequest(
      inputs.map((stored) => ({ ...stored, content: content(stored) })),
    );
    const binary = compare(await ask(headers, body), outputs);
    if (binary !== undefined) return { case: name, failed: `binary: ${binary}` };
    if (inputs.some(({ finite }) => !finite)) continue;
    const json = await ask(
      { 'content-type': 'application/json' },
      Buffer.from(jsonRequest(inputs.map(valued))),
    );
    if (outputs.some(({ finite }) => !finite)) {
      // JSON has no such number: the answer must say so, not turn it into null.
      if (json.status !== 422)
        return { case: name, failed: `JSON: ${json.status} for an output beyond JSON` };
      continue;
    }
    const different = compare(json, outputs);
    if (different !== undefined) return { case: name, failed: `JSON: ${different}` };
  }
  return { case: name, same: true };
}

const cases = readFileSync(join(folder, 'cases.jsonl'), 'utf8').trimEnd().split('\n');
for (const [index, line] of cases.entries()) {
  const entry: Case = JSON.parse(line);
  if (!('model' in entry) || index % Number(shares) !== Number(share)) continue;
  const started: Outcome = { case: entry.case, started: true };
  process.send?.(started);
  const outcome = await run(entry).catch(
    (error): Outcome => ({
      case: entry.case,
      failed: error instanceof Error ? (error.stack ?? '') : String(error),
    }),
  );
  await new Promise((resolve) => process.send?.(outcome, undefined, undefined, resolve));
}
process.disconnect?.();
