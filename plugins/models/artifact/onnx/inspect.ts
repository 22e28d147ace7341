import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Datatype, TensorSpec } from '../../../../core/tensor/contract.ts';
import type { Inspection, KeptArtifact } from '../../contracts/artifact-format.ts';
import { keyOf } from '../../disk/cache.ts';
import { type Problem, problemError } from '../../problems/errors.ts';
import { limitsFor, type ProcessLimits, type ProcessOutcome } from '../../sandbox/sandbox.ts';
import { latestAttempt } from './attempts.ts';
import type { ProbeResult } from './child.ts';
import { cureOf } from './cure.ts';
import { OTHER_TYPES, PROTOCOL_TYPES } from './data-types.ts';
import type { OnnxInfo } from './onnx.ts';
import type { ProbeInput } from './probe.ts';
import { runTask } from './run-task.ts';
import { ORT_VERSION } from './runtime.ts';
import { short } from './short.ts';
import type { Value } from './value.ts';

type Outcome = ProcessOutcome<ProbeResult>;
type Source = KeptArtifact<OnnxInfo>;

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
    const datatype = type.kind === 'tensor' ? PROTOCOL_TYPES[type.elem] : undefined;
    if (type.kind !== 'tensor' || datatype === undefined) {
      unsupported(
        `Input ${name} is ${kindOf(type)}, which the inference protocol cannot carry.`,
        type.kind === 'tensor'
          ? castFix(type.elem, 'inputs')
          : 'Export the model with plain tensors as inputs.',
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
    const datatype = type.kind === 'tensor' ? PROTOCOL_TYPES[type.elem] : undefined;
    if (type.kind === 'tensor' && datatype !== undefined) outputs.push({ name, datatype, shape: type.shape });
    else {
      omitted.push(name);
      notices.push(omission(name, type));
    }
  }
  if (outputs.length === 0) {
    const [output] = source.info.outputs;
    const fix = output?.type.kind === 'tensor' ? castFix(output.type.elem, 'outputs') : '';
    unsupported(
      'No output is a tensor that the inference protocol can carry.',
      notices[0] === undefined
        ? 'Export the model with at least one output.'
        : `${notices[0]}${fix && ` ${fix}`}`,
    );
  }
  const [first, ...others] = problems;
  if (first !== undefined) throw problemError([first, ...others]);
  return { inputs, outputs, omitted, notices };
}

/** A tensor it is: what helps is another type of its elements. */
function castFix(elem: number, of: 'inputs' | 'outputs'): string {
  const name = OTHER_TYPES[elem] ?? 'that type';
  if (name.startsWith('complex')) return `Give the real and the imaginary part of ${name} as a tensor each.`;
  return `Cast ${of === 'inputs' ? `inputs of float32 to ${name} at the beginning` : `outputs of ${name} to float32 at the end`} of the graph, or export the model in float32 or float16.`;
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
      fix: 'Look for a loop whose condition never ends, or package where the processor has less to do: large graphs, of isolation forests for example, take seconds.',
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
