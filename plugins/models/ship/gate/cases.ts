import { createHash } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PAYLOAD_BYTES } from '../../../../core/endpoint/contract.ts';
import { isRefusal } from '../../../../core/errors/refusals.ts';
import { type Case, caseLines, faultOf, readCase } from '../../../../core/gate/cases.ts';
import { eventOf } from '../../../../core/gate/event.ts';
import { readRequest } from '../../../../core/protocol/request.ts';
import type { Signature } from '../../../../core/tensor/contract.ts';
import { decodedUtf8 } from '../../../../core/text/utf8.ts';
import type { Facts, Gate } from '../../declaration/model.ts';
import { cacheFolder, once } from '../../disk/cache.ts';
import type { Upload } from '../../disk/files.ts';
import { type Problem, problemError, throwProblems } from '../../problems/errors.ts';

/** The release worker has the whole file in its memory of 512 MB, as text, with some of its cases parsed. */
const FILE_BYTES = 32 * 1024 ** 2;

/** Every case is an invocation, and CloudFormation waits for all of them. */
const CASES = 10_000;

/** Faulty lines that are shown: the next ones mostly have the same fault. */
const SHOWN = 5;

/** A gate's case file, as it goes to the registry. */
export type ShippedCases = { readonly facts: NonNullable<Facts['cases']>; readonly upload: Upload };

/**
 * Reads the gate's case file and holds every case against the signature: the inputs by the endpoint's own
 * reading of requests, the outputs by name, datatype and shape.
 *
 * @param path as written, relative to the service's folder
 * @throws ProblemError MODELS_GATE_CASES with the lines that are wrong
 */
export async function shipCases(
  key: string,
  path: string,
  { reference }: Gate,
  signature: Signature,
  serviceDir: string,
): Promise<ShippedCases> {
  const from = resolve(serviceDir, path);
  const bytes = await read(key, path, from);
  const text = decodedUtf8(bytes);
  // Else U+FFFD would be asked in the place of what is there.
  if (text === undefined)
    throw problemError([
      problemOf(key, path)(`${path} is not UTF-8.`, 'Write the file in UTF-8, as JSON is.'),
    ]);
  const lines = caseLines(text);
  const faults = lines.flatMap(({ line, start, end }) => {
    const part = text.slice(start, end);
    const found = readCase(part);
    const fault =
      faultOf(found, reference !== undefined) ?? ('fault' in found ? undefined : mismatch(found, signature));
    return fault === undefined ? [] : [{ line, fault }];
  });
  throwProblems(problemsOf(key, path, lines.length, faults));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const facts = { sha256, bytes: bytes.length, count: lines.length };
  // The file may be written to before it is uploaded.
  const folder = await once(cacheFolder('cases', sha256.slice(0, 32)), (draft) =>
    writeFile(join(draft, 'cases.jsonl'), bytes),
  );
  return { facts, upload: { sha256, bytes: bytes.length, from: join(folder, 'cases.jsonl') } };
}

const problemOf =
  (key: string, path: string) =>
  (message: string, fix: string): Problem => ({ code: 'MODELS_GATE_CASES', key, value: path, message, fix });

async function read(key: string, path: string, from: string): Promise<Buffer> {
  const problem = problemOf(key, path);
  const found = await stat(from).catch(() => undefined);
  if (found === undefined || !found.isFile()) {
    throwProblems([
      problem(
        found === undefined ? `${path} does not exist.` : `${path} is no file.`,
        'Write the path of a file of JSON lines, relative to serverless.yml.',
      ),
    ]);
  } else if (found.size > FILE_BYTES) {
    throwProblems([
      problem(
        `${path} has ${Math.ceil(found.size / 1024 ** 2)} MB; a case file may have ${FILE_BYTES / 1024 ** 2}.`,
        'Leave cases out: a few of each kind tell as much.',
      ),
    ]);
  }
  return readFile(from);
}

type Fault = { readonly line: number; readonly fault: string };

function problemsOf(key: string, path: string, count: number, faults: readonly Fault[]): readonly Problem[] {
  const problem = problemOf(key, path);
  if (count === 0)
    return [problem(`${path} has no case.`, 'Write a line of {"inputs": […], "outputs": […]}.')];
  if (count > CASES)
    return [problem(`${path} has ${count} cases; a gate asks ${CASES} at most.`, 'Leave cases out.')];
  const shown = faults
    .slice(0, SHOWN)
    .map(({ line, fault }) =>
      problem(`${path}:${line}: ${fault}`, 'Correct this line; `sls models list` shows the signature.'),
    );
  const more = faults.length - shown.length;
  return more > 0
    ? [...shown, problem(`${path} has ${more} more faulty lines.`, 'Correct these first.')]
    : shown;
}

/** @returns why this model cannot be asked this, or cannot answer so; without values */
function mismatch({ request, outputs = [] }: Case, signature: Signature): string | undefined {
  const size = Buffer.byteLength(eventOf(request));
  if (size > PAYLOAD_BYTES)
    return `The request has ${(size / 1024 ** 2).toFixed(1)} MB; Lambda takes ${PAYLOAD_BYTES / 1024 ** 2}.`;
  try {
    readRequest(request, signature);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return error.message;
  }
  return outputs.map((output) => outputFault(output, signature)).find((fault) => fault !== undefined);
}

type Output = NonNullable<Case['outputs']>[number];

function outputFault({ name, datatype, shape }: Output, signature: Signature): string | undefined {
  const spec = signature.outputs.find((output) => output.name === name);
  if (spec === undefined) {
    return signature.omitted.includes(name)
      ? `The output ${name} is not served: the protocol cannot express it.`
      : `There is no output ${name}; the model has ${signature.outputs.map((output) => output.name).join(', ')}.`;
  }
  if (datatype !== spec.datatype) return `The output ${name} is ${spec.datatype}, not ${datatype}.`;
  const fits =
    shape.length === spec.shape.length &&
    spec.shape.every((dimension, index) => dimension < 0 || dimension === shape[index]);
  return fits
    ? undefined
    : `The output ${name} has the shape [${spec.shape.join(', ')}] (-1 is free), not [${shape.join(', ')}].`;
}
