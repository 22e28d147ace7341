/**
 * The program that loads an artifact, in a process of its own: an endless model blocks every timer of its
 * process, and a hostile one may take all memory. `sandbox.ts` starts it, watches it and kills it. ONNX
 * Runtime comes from NODE_PATH.
 */
import { createRequire } from 'node:module';
import type * as Ort from 'onnxruntime-common';
import { withoutTelemetry } from '../../../../core/node/telemetry.ts';
import type { ProcessReply } from '../../sandbox/sandbox.ts';
import {
  distance,
  PROBES,
  type Probe,
  type ProbeInput,
  type ProbeOutput,
  type ProbeTensor,
  probeInputs,
} from './probe.ts';

export type ProbeTask = {
  /** Absolute path of the graph. */
  readonly model: string;
  readonly inputs: readonly ProbeInput[];
  /** Outputs to fetch. */
  readonly outputs: readonly string[];
  /**
   * Write an optimised copy there, its weights to `weights` beside it if named, and compare it with `model`.
   * `isMade`: it is there.
   */
  readonly optimise?: { readonly target: string; readonly weights?: string; readonly isMade?: true };
};

export type ProbeResult = {
  /** Shapes of the fetched outputs, for each probe that ran. */
  readonly runs: readonly { readonly length: number; readonly shapes: readonly (readonly number[])[] }[];
  /** Why the last probe did not run, if none did. */
  readonly refusal?: string;
  /** Even short inputs needed more memory than there was. */
  readonly exhausted?: boolean;
  /** Largest `distance` between original and optimised outputs; absent where nothing was compared. */
  readonly distance?: number;
};

/** Free dimensions up to this are tried on every model. */
const SHORT = 3;
/** Where address space is limited, an allocation fails before the process is killed. */
const OUT_OF_MEMORY = /bad.?alloc|failed to allocate memory|bad allocation|length_error/i;

type Reply = ProcessReply<ProbeResult>;
withoutTelemetry(process.env);
const ort: typeof Ort = createRequire(import.meta.url)('onnxruntime-node');
const send = (reply: Reply): Promise<void> =>
  new Promise((resolve) => {
    process.send?.(reply, () => resolve());
  });
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

process.once('message', async (task: ProbeTask) => {
  await send(
    await work(task).catch(
      (error): Reply => ({ kind: 'failed', stage: 'loading', message: messageOf(error) }),
    ),
  );
  process.exit(0);
});

async function work(task: ProbeTask): Promise<Reply> {
  await send({ kind: 'stage', stage: 'loading' });
  const session = await load(task.model);
  await send({ kind: 'stage', stage: 'running' });
  const runs = await probe(session, task, PROBES);
  await session.release();
  const summary = {
    runs: runs.done.map(({ probe, outputs }) => ({
      length: probe.length,
      shapes: outputs.map(({ dims }) => dims),
    })),
    ...(runs.done.length === 0 && runs.refusal !== undefined ? { refusal: runs.refusal } : {}),
    exhausted: runs.exhausted,
  };
  if (task.optimise === undefined || runs.done.length === 0) return { kind: 'done', result: summary };

  await send({ kind: 'stage', stage: 'optimising' });
  try {
    const { target, weights, isMade } = task.optimise;
    if (isMade !== true) await (await load(target, task.model, weights)).release();
    const optimised = await load(target);
    let apart = 0;
    for (const { probe: same, outputs } of runs.done) {
      const [again] = (await probe(optimised, task, [same])).done;
      for (const [index, output] of outputs.entries()) {
        const other = again?.outputs[index];
        apart = Math.max(apart, other === undefined ? Infinity : distance(output, other));
      }
    }
    await optimised.release();
    return { kind: 'done', result: { ...summary, distance: apart } };
  } catch (error) {
    return { kind: 'failed', stage: 'optimising', message: messageOf(error) };
  }
}

/**
 * Loads `path` as the endpoint does; or, given `from`, loads that, optimises it at level `extended` (the
 * highest that does not depend on the processor) and writes it to `path`.
 */
function load(path: string, from?: string, weights?: string): Promise<Ort.InferenceSession> {
  const quiet = { intraOpNumThreads: 1, logSeverityLevel: 4 } as const;
  if (from === undefined)
    return ort.InferenceSession.create(path, { ...quiet, graphOptimizationLevel: 'all' });
  return ort.InferenceSession.create(from, {
    ...quiet,
    graphOptimizationLevel: 'extended',
    optimizedModelFilePath: path,
    ...(weights === undefined
      ? {}
      : {
          extra: {
            session: {
              optimized_model_external_initializers_file_name: weights,
              optimized_model_external_initializers_min_size_in_bytes: '1024',
            },
          },
        }),
  });
}

/** Runs probes until two with different lengths ran; one length is enough where no dimension is free. */
async function probe(
  session: Ort.InferenceSession,
  { inputs, outputs }: ProbeTask,
  probes: readonly Probe[],
) {
  const isFree = inputs.some(({ shape }) => shape.some((dimension) => dimension < 0));
  const done: { probe: Probe; outputs: ProbeOutput[] }[] = [];
  let refusal: string | undefined;
  for (const candidate of probes) {
    const isLong = candidate.length > SHORT;
    // One that ran is worth more than a second one at any cost.
    if (done.length === (isFree ? 2 : 1) || (done.length === 1 && isLong)) break;
    if (done.some((run) => run.probe.length === candidate.length)) continue;
    const tensors = probeInputs(inputs, candidate);
    if (tensors === undefined) continue;
    if (isLong) await send({ kind: 'stage', stage: 'trying' });
    try {
      const feeds = Object.fromEntries(tensors.map((tensor) => [tensor.name, tensorOf(tensor)]));
      const answers = await session.run(feeds, outputs);
      done.push({
        probe: candidate,
        outputs: outputs.map((name) => {
          const answer = answers[name];
          if (answer === undefined) throw new Error(`no output ${name}`);
          return { type: answer.type, dims: answer.dims, data: answer.data as ProbeOutput['data'] };
        }),
      });
    } catch (error) {
      refusal = messageOf(error);
      // A longer one would not need less.
      if (OUT_OF_MEMORY.test(refusal)) return { done, refusal, exhausted: !isLong && done.length === 0 };
    }
    if (!isFree && candidate.zeros) break;
  }
  return { done, refusal, exhausted: false };
}

function tensorOf({ type, dims, data }: ProbeTensor): Ort.Tensor {
  // Half precision goes in as its bits: the binding reads nothing from a Float16Array, which the constructor
  // makes of them where Node has one. The overloads pair each type with its array; probe.ts keeps the pairs.
  if (type !== 'float16') return new ort.Tensor(type as 'float32', data as Float32Array, dims);
  return Object.assign(new ort.Tensor('uint16', data as Uint16Array, dims), { type });
}
