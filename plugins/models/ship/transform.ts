import { readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { withoutPreloads } from '../../../core/node/node-options.ts';
import { DATATYPES, type Datatype, type Signature, type TensorSpec } from '../../../core/tensor/contract.ts';
import type { ShipContext } from '../contracts/ship-context.ts';
import type { Model } from '../declaration/model.ts';
import { cacheFolder, keyOf, once } from '../disk/cache.ts';
import { type Problem, problemError, throwProblems } from '../problems/errors.ts';
import { sdkFolders, variablesOf } from '../sandbox/environment.ts';
import { type ProcessLimits, type ProcessOutcome, runChild } from '../sandbox/sandbox.ts';
import type { BundledTransform } from './bundled-transform.ts';
import type { Exports } from './evaluate.ts';

/** Part of the cache key: raise it when a transform would be read differently. */
const METHOD = 1;

/**
 * Three times Lambda's own limit for a start on demand, since a machine that builds may be busy, and room for
 * a large table of tokens.
 */
const LIMITS: ProcessLimits = { deadline: 30_000, memory: 1024 ** 3 };

/**
 * Loads a transform in a process that is killed when it takes too long or too much, with the environment that
 * its function will have, credentials aside. Cached by content.
 *
 * @returns what it exports
 * @throws ProblemError `MODELS_TRANSFORM_INVALID` where it does not load
 */
export async function loadTransform(
  { name, code, digest }: Pick<BundledTransform, 'name' | 'code' | 'digest'>,
  model: Model,
  context: ShipContext,
  limits: ProcessLimits = LIMITS,
): Promise<Exports> {
  const key = `models.${model.name}.artifact`;
  const region = context.aws?.region ?? 'us-east-1';
  const env = {
    // Lambda's own, which a function may change.
    TZ: ':UTC',
    ...withoutPreloads(variablesOf(context.environment, model.function.environment)),
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(model.memory),
  };
  const kept = cacheFolder('transforms', keyOf(digest, METHOD, process.version, env).slice(0, 32));
  const folder = await once(kept, async (draft) => {
    const file = join(draft, 'transform.mjs');
    await writeFile(file, code);
    const outcome = await runChild<Exports>(
      'plugins/models/ship/evaluate',
      { file },
      { ...env, NODE_PATH: sdkFolders().join(delimiter) },
      limits,
    );
    if (outcome.kind !== 'done') throw problemError([loadProblem(outcome, key, name, limits)]);
    await writeFile(join(draft, 'exports.json'), JSON.stringify(outcome.result));
  });
  return JSON.parse(await readFile(join(folder, 'exports.json'), 'utf8'));
}

function loadProblem(
  outcome: Exclude<ProcessOutcome<Exports>, { kind: 'done' }>,
  key: string,
  name: string,
  limits: ProcessLimits,
): Problem {
  const problem = (message: string, fix: string): Problem => ({
    code: 'MODELS_TRANSFORM_INVALID',
    key,
    message: `${name} ${message}.`,
    fix,
  });
  switch (outcome.kind) {
    case 'deadline':
      return problem(
        `was still loading after ${Math.round(limits.deadline / 1000)} s; Lambda stops a start after 10 s`,
        'Look for a loop or an await that never ends, outside of pre and post.',
      );
    case 'memory':
      return problem(
        `took more than ${Math.round(limits.memory / 1024 ** 2)} MB while it was loaded`,
        'Build large tables when pre needs them first.',
      );
    case 'crashed':
      return problem(
        `ended the process that loaded it (${oneLine(outcome.message)})`,
        'Take out what ends it.',
      );
    case 'failed':
      return problem(
        `throws when it is loaded: ${oneLine(outcome.message)}`,
        /\bENOENT\b/.test(outcome.message)
          ? 'Import what it reads: `.json` and `.txt` come along with it, and no other files.'
          : 'Correct it, or do inside pre or post what needs the running function.',
      );
  }
}

/**
 * What clients see of a model with this transform.
 *
 * @param graph the model's own signature
 * @param name of the transform, for messages
 * @throws ProblemError `MODELS_TRANSFORM_INVALID` with everything that is wrong with its exports
 */
export function clientSignature(graph: Signature, name: string, exports: Exports, key: string): Signature {
  const problems: Problem[] = [];
  const fault = (message: string, fix: string): void => {
    problems.push({ code: 'MODELS_TRANSFORM_INVALID', key, message: `${name}: ${message}.`, fix });
  };
  const { pre, post } = exports;
  for (const [word, kind] of Object.entries({ pre, post })) {
    if (kind !== 'function' && kind !== 'undefined')
      fault(`${word} is of the type ${kind}, not a function`, `Export a function as ${word}, or nothing.`);
  }
  if (!exports.names.some((word) => ['inputs', 'outputs', 'pre', 'post'].includes(word))) {
    const instead = exports.names.length === 0 ? 'nothing' : exports.names.join(', ');
    fault(
      `it exports ${instead}`,
      'Export pre or post by name, as an ES module does (export const post = …), or delete the file.',
    );
  }
  const inputs = readSpecs('inputs', exports.inputs, fault);
  const outputs = readSpecs('outputs', exports.outputs, fault);
  if (inputs !== undefined && pre === 'undefined') {
    for (const spec of [...inputs, ...graph.inputs]) {
      if (!matches(spec, inputs) || !matches(spec, graph.inputs))
        fault(
          `it exports inputs but no pre, and the input ${spec.name} is not the same there and in the model`,
          'Export pre, which turns the one into the other.',
        );
    }
  }
  if (outputs !== undefined && post === 'undefined') {
    for (const spec of outputs) {
      if (!matches(spec, graph.outputs))
        fault(
          `it exports outputs but no post, and the model has no output ${spec.name} of the type ${spec.datatype}`,
          'Export post, which turns the one into the other.',
        );
    }
  }
  throwProblems(problems);
  return {
    inputs: inputs ?? graph.inputs,
    outputs: outputs ?? graph.outputs,
    omitted: graph.omitted.filter((omitted) => !outputs?.some((spec) => spec.name === omitted)),
  };
}

function matches({ name, datatype, shape }: TensorSpec, specs: readonly TensorSpec[]): boolean {
  return specs.some(
    (spec) => spec.name === name && spec.datatype === datatype && spec.shape.length === shape.length,
  );
}

/** @returns undefined where nothing is exported, or something wrong, which `fault` has then heard of */
function readSpecs(
  word: 'inputs' | 'outputs',
  value: unknown,
  fault: (message: string, fix: string) => void,
): readonly TensorSpec[] | undefined {
  if (value === undefined) return undefined;
  const example = "Write for example { name: 'text', datatype: 'BYTES', shape: [-1] }.";
  if (!Array.isArray(value)) {
    fault(`${word} is not an array`, `Export ${word} as an array of tensors.`);
    return undefined;
  }
  if (word === 'outputs' && value.length === 0) fault('outputs is empty', 'Declare what post gives.');
  const names = new Set<string>();
  return value.map((spec: unknown, index): TensorSpec => {
    const at = `${word}[${index}]`;
    const { name, datatype, shape }: Readonly<Record<string, unknown>> =
      typeof spec === 'object' && spec !== null ? { ...spec } : {};
    if (typeof name !== 'string' || name === '') fault(`${at}.name is not a name`, example);
    else if (names.has(name))
      fault(`${at}.name is ${shown(name)} for the second time`, 'Give each a name of its own.');
    else names.add(name);
    if (!isDatatype(datatype))
      fault(`${at}.datatype is ${shown(datatype)}`, `It is one of ${DATATYPES.join(', ')}.`);
    if (!isShape(shape)) {
      fault(`${at}.shape is ${shown(shape)}`, 'It is an array of whole numbers, -1 for a free dimension.');
    }
    return {
      name: String(name),
      datatype: isDatatype(datatype) ? datatype : 'BYTES',
      shape: isShape(shape) ? shape : [],
    };
  });
}

const isDatatype = (value: unknown): value is Datatype => DATATYPES.some((datatype) => datatype === value);

const isShape = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((dimension) => Number.isSafeInteger(dimension) && dimension >= -1);

const shown = (value: unknown): string => (JSON.stringify(value) ?? 'missing').slice(0, 100);

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim().replace(/\.$/, '').slice(0, 400);
