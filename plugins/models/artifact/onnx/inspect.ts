import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Datatype, TensorSpec } from '../../../../core/tensor/contract.ts';
import type { Inspection, KeptArtifact } from '../../contracts/artifact-format.ts';
import { keyOf } from '../../disk/cache.ts';
import { type Problem, problemError } from '../../problems/errors.ts';
import { limitsFor, type ProcessLimits, type ProcessOutcome } from '../../sandbox/sandbox.ts';
import { latestAttempt } from './attempts.ts';
import type { ProbeResult } from './child.ts';
import type { OnnxInfo } from './onnx.ts';
import type { ProbeInput } from './probe.ts';
import { runTask } from './run-task.ts';
import { ORT_VERSION } from './runtime.ts';
import { beginOf, short } from './short.ts';
import type { Value } from './value.ts';

type Outcome = ProcessOutcome<ProbeResult>;
type Source = KeptArtifact<OnnxInfo>;

/**
 * TensorProto.DataType → protocol. The rest (bfloat16, complex, 4 and 8 bit floats, int4) has no word there.
 */
const DATATYPES: Readonly<Record<number, Datatype>> = {
  1: 'FP32',
  2: 'UINT8',
  3: 'INT8',
  4: 'UINT16',
  5: 'INT16',
  6: 'INT32',
  7: 'INT64',
  8: 'BYTES',
  9: 'BOOL',
  10: 'FP16',
  11: 'FP64',
  12: 'UINT32',
  13: 'UINT64',
};

/**
 * TensorProto.DataType that have no word in the protocol:
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
const OTHER_TYPES: Readonly<Record<number, string>> = {
  14: 'complex64',
  15: 'complex128',
  16: 'bfloat16',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  21: 'uint4',
  22: 'int4',
  23: 'float4e2m1',
};

/** Part of the cache key: raise it when an inspection would come out differently. */
const METHOD = 2;

/**
 * Loads the artifact with ONNX Runtime in a process that is killed when it takes too long or too much, and
 * runs it on made-up inputs. Cached by content.
 *
 * @param key YAML path to blame
 * @param runtime NODE_PATH with ONNX Runtime; undefined where it has no build: the signature is then what the
 * graph declares
 * @throws ProblemError `MODELS_ARTIFACT_INVALID`, `_HANGS`, `_MEMORY`, `_UNSUPPORTED`
 */
export async function inspect(
  source: Source,
  key: string,
  runtime: string | undefined,
  limits: ProcessLimits = limitsFor(source.bytes),
): Promise<Inspection> {
  const { inputs, outputs, omitted, notices } = declared(source, key);
  const name = keyOf(
    ...[source.digest, ORT_VERSION, METHOD, runtime === undefined, process.platform, process.arch],
  ).slice(0, 32);
  const make = async (draft: string): Promise<void> => {
    const outcome: Outcome =
      runtime === undefined
        ? { kind: 'done', result: { runs: [], refusal: 'ONNX Runtime has no build for this machine' } }
        : judged(
            await runTask(
              { model: graphOf(source), inputs, outputs: outputs.map(({ name }) => name) },
              runtime,
              limits,
            ),
          );
    if (outcome.kind !== 'done') throw problemError([problemOf(outcome, key, limits)]);
    const { result } = outcome;
    const ran = result.runs.length > 0 ? true : (result.refusal ?? 'no probe fits its inputs');
    const inspection: Kept = {
      signature: {
        inputs: inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
        outputs: outputs.map((output, index) => observed(output, index, result, key)),
        omitted,
      },
      opset: source.info.opsets[''] ?? 0,
      irVersion: source.info.irVersion,
      ran,
      notices: [...notices, ...(ran === true ? [] : [`It was not run while packaging: ${short(ran)}.`])],
      ...((ran === TOO_MUCH || (ran !== true && isMemory(ran))) && { gaveUp: Date.now() }),
    };
    await writeFile(join(draft, INSPECTION), JSON.stringify(inspection));
  };
  const {
    folder: _,
    gaveUp: __,
    ...found
  } = await latestAttempt<Kept>('inspections', name, INSPECTION, make);
  return found;
}

const INSPECTION = 'inspection.json';
type Kept = Inspection & { readonly gaveUp?: number };

/** Inputs and outputs for a run of the artifact: what the optimiser compares on. */
export function declared(source: Source, key: string) {
  const problems: Problem[] = [];
  const unsupported = (message: string, fix: string): void => {
    problems.push({ code: 'MODELS_ARTIFACT_UNSUPPORTED', key, message, fix });
  };
  const inputs: ProbeInput[] = [];
  for (const { name, type } of source.info.inputs) {
    const datatype = type.kind === 'tensor' ? DATATYPES[type.elem] : undefined;
    if (type.kind !== 'tensor' || datatype === undefined) {
      unsupported(
        `Input ${name} is ${kindOf(type)}, which the inference protocol cannot carry.`,
        'Export the model with plain tensors as inputs.',
      );
    } else if (type.shape === undefined) {
      unsupported(
        `Input ${name} declares no rank.`,
        'Export the model with a shape; free dimensions may have names.',
      );
    } else inputs.push({ name, datatype, shape: type.shape, symbols: type.symbols });
  }
  const outputs: DeclaredOutput[] = [];
  const omitted: string[] = [];
  const notices: string[] = [];
  for (const { name, type } of source.info.outputs) {
    const datatype = type.kind === 'tensor' ? DATATYPES[type.elem] : undefined;
    if (type.kind === 'tensor' && datatype !== undefined) outputs.push({ name, datatype, shape: type.shape });
    else {
      omitted.push(name);
      notices.push(omission(name, type));
    }
  }
  if (outputs.length === 0) {
    unsupported('No output is a plain tensor.', notices[0] ?? 'Export the model with at least one output.');
  }
  const [first, ...others] = problems;
  if (first !== undefined) throw problemError([first, ...others]);
  return { inputs, outputs, omitted, notices };
}

type DeclaredOutput = {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[] | undefined;
};

function omission(name: string, type: Value['type']): string {
  const why = `Output ${name} is ${kindOf(type)}, which the inference protocol cannot express, and is left out.`;
  if (type.kind !== 'sequence' && type.kind !== 'map') return why;
  if (type.kind === 'sequence' && type.of === 'tensor')
    return `${why} Its tensors would be served as outputs of their own, or as one: join them in the graph by ConcatFromSequence.`;
  return `${why} Exported without ZipMap it is a tensor: to_onnx(…, options={"zipmap": False}) in skl2onnx, zipmap=False in onnxmltools; of CatBoost’s files, docs/artifact.md#without-zipmap takes it out.`;
}

function kindOf(type: Value['type']): string {
  if (type.kind === 'tensor') {
    const name = OTHER_TYPES[type.elem];
    return name === undefined ? `a tensor of ONNX's element type ${type.elem}` : `a tensor of ${name}`;
  }
  if (type.kind === 'unknown') return 'of an unknown type';
  if (type.kind === 'optional') return 'an optional';
  return type.of === 'tensor' ? `a ${type.kind} of tensors` : `a ${type.kind}`;
}

/**
 * What an output is declared as, less what a run disproved: LightGBM's exporter says `[1]` for `[n]`, and
 * some graphs say nothing at all.
 */
function observed(output: DeclaredOutput, index: number, { runs }: ProbeResult, key: string): TensorSpec {
  const { name, datatype } = output;
  const shapes = runs.flatMap((run) => {
    const shape = run.shapes[index];
    return shape === undefined ? [] : [shape];
  });
  const [first] = shapes;
  const start = output.shape ?? first?.map(() => -1);
  if (start === undefined) {
    throw problemError([
      {
        code: 'MODELS_ARTIFACT_UNSUPPORTED',
        key,
        message: `Output ${name} declares no rank, and no run could tell it.`,
        fix: 'Export the model with shapes of its outputs.',
      },
    ]);
  }
  const shape = shapes.reduce<readonly number[]>(
    (known, seen) =>
      known.length === seen.length
        ? known.map((dimension, at) => (dimension === seen[at] ? dimension : -1))
        : seen.map(() => -1),
    start,
  );
  return { name, datatype, shape };
}

/** Absolute path of the graph's file. */
export function graphOf(source: Source): string {
  return source.files[0]?.from ?? '';
}

/** What an end says of the model, rather than of the inputs that we made up for it. */
function judged(outcome: Outcome): Outcome {
  if (outcome.kind === 'done' && outcome.result.exhausted) return { kind: 'memory', stage: 'running' };
  if (outcome.kind === 'done' || outcome.kind === 'failed' || outcome.stage !== 'trying') return outcome;
  if (outcome.kind === 'crashed' && outcome.isInterrupted) return outcome;
  return { kind: 'done', result: { runs: [], refusal: TOO_MUCH } };
}

const TOO_MUCH = 'no short input fits it, and long ones took too much';

function problemOf(outcome: Exclude<Outcome, { kind: 'done' }>, key: string, limits: ProcessLimits): Problem {
  const { stage } = outcome;
  const message = 'message' in outcome ? outcome.message : '';
  if (outcome.kind === 'deadline') {
    return {
      code: 'MODELS_ARTIFACT_HANGS',
      key,
      message: `${asked(stage)}t was still ${stage} after ${Math.round(limits.deadline / 1000)} s${noRequest(stage)}.`,
      fix: 'Look for a loop whose condition never ends.',
    };
  }
  if (outcome.kind === 'memory' || isMemory(message)) {
    return {
      code: 'MODELS_ARTIFACT_MEMORY',
      key,
      message: `${asked(stage)}t took more than ${Math.round(limits.memory / 1024 ** 2)} MB while ${stage}${noRequest(stage)}.`,
      fix: 'Look for a constant or an input of a huge shape, or package on a machine with more free memory.',
    };
  }
  const did = outcome.kind === 'crashed' ? `crashed while ${stage} it` : 'refuses it';
  return {
    code: 'MODELS_ARTIFACT_INVALID',
    key,
    message: `ONNX Runtime ${ORT_VERSION} ${did}: ${short(message)}.`,
    fix: cureOf(message),
  };
}

/** ONNX Runtime's refusals name what it lacks; what helps depends on it. */
export function cureOf(refusal: string): string {
  const message = beginOf(refusal);
  const ir = /max supported IR version: (\d+)/.exec(message)?.[1];
  if (ir !== undefined)
    return `Set the model’s IR version to ${ir} or lower (in Python: \`model.ir_version = ${ir}\`, then onnx.save), or export it with an older onnx.`;
  const operator = /(\S+?)(?:\(-?\d+\))? is not a registered function\/op/.exec(message)?.[1];
  if (operator !== undefined)
    return `Replace the operator ${operator}, which ONNX Runtime does not have: export the model without it, or compute it in a transform.ts.`;
  const [, typed] = /Unsupported data type: (\d+)/.exec(message) ?? [];
  const type = typed === undefined ? undefined : OTHER_TYPES[Number(typed)];
  if (type !== undefined)
    return `Cast outputs of ${type} to float32 at the end of the graph, or export the model in float32 or float16: ONNX Runtime’s binding for Node loads no graph that has an output of ${type}.`;
  const complex = /MLDataType for: tensor\((complex\d+)\)/.exec(message)?.[1];
  if (complex !== undefined)
    return `Give the real and the imaginary part of ${complex} as a tensor each: ONNX Runtime has no complex numbers.`;
  const data = /offset: (\d+) size to read: (\d+) given file_length: (\d+)/.exec(message);
  if (data !== null)
    return `Put the whole file of the external data beside the graph: the one that is there has ${data[3]} bytes, and the graph reads to byte ${Number(data[1]) + Number(data[2])}. It may have been copied or downloaded in part.`;
  return 'Export the model again, for an opset that this version knows.';
}

/**
 * The shapes of a probe are the declared ones, or the least of free lengths: what it cannot run, no request
 * could.
 */
const asked = (stage: string): string =>
  stage === 'running' ? 'On inputs of the shapes that it declares (2 where one is free) i' : 'I';
const noRequest = (stage: string): string => (stage === 'running' ? ', so no request could be answered' : '');

/** Where memory is limited, an allocation fails before the process is killed. */
export function isMemory(message: string): boolean {
  return /bad.?alloc|failed to allocate memory|bad allocation|length_error/i.test(message);
}
