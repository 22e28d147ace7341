import type { OutputSignal } from '../../../core/drift/contract.ts';
import type { FileFault, RowTensor } from '../../../core/tabular/cells/layout.ts';
import type { ArtifactRuntime } from '../contracts/artifact-format.ts';
import { limitsFor, type ProcessOutcome, runChild } from '../sandbox/sandbox.ts';
import { breathe } from './breathe.ts';
import type { BaselineTask, Result } from './child.ts';
import { category, numeric, type Unnamed } from './signals.ts';
import type { Stored } from './store.ts';

/** Rows that the model is asked, evenly spaced: all of most references, and no hours for a slow model. */
const MOST_ROWS = 100_000;
/** One at a time. */
const MOST_SINGLE = 10_000;
const BATCH = 1000;
/** Elements of a batch: of images it has few. */
const ELEMENTS = 2 ** 20;
/** Milliseconds for rows, beside what loading takes. */
const RUNNING = 600_000;

/** Signals of what the model answers to the reference's rows. */
export async function outputSignals(
  subject: {
    readonly graph: string;
    readonly bytes: number;
    readonly outputs: readonly OutputSignal[];
    readonly engine: Pick<ArtifactRuntime, 'gist' | 'session'>;
  },
  runtime: string,
  stored: Stored,
  tensors: readonly RowTensor[],
  fault: FileFault,
): Promise<{ readonly signals: readonly Unnamed[]; readonly notices: readonly string[] }> {
  const { graph, bytes, outputs, engine } = subject;
  const task: BaselineTask = {
    model: graph,
    session: engine.session,
    stored,
    tensors,
    signals: outputs,
    ways: waysOf(tensors, fault),
  };
  const limits = limitsFor(bytes);
  const outcome = await runChild<Result>(
    'plugins/models/baseline/child',
    task,
    { NODE_PATH: runtime },
    { ...limits, deadline: limits.deadline + RUNNING },
  );
  if (outcome.kind !== 'done') throw failure(outcome, engine, fault);
  const { result } = outcome;
  if ('refusal' in result) throw refused(engine.gist(result.refusal), fault);
  if ('isUnfit' in result) return { signals: [], notices: [UNFIT] };
  if (result.asked === 0) return { signals: [], notices: [unasked(task)] };
  const notices: string[] = [];
  const signals: Unnamed[] = [];
  for (const [i, { kind, output, logits }] of outputs.entries()) {
    const values = result.values[i] as Float64Array<ArrayBuffer>;
    const isOnly = outputs.filter((other) => other.kind === kind).length === 1;
    const label = isOnly ? kind : `${kind} of ${output}`;
    const part =
      kind === 'label'
        ? category(label, output, 0, kind, values, classesOf(values), notices)
        : numeric(label, output, 0, kind, values, notices);
    if (part === undefined) continue;
    // Rows that the model was not asked have no value, but do not count as rows without one.
    const nulls = result.asked - (values.length - part.nulls);
    const rows = result.asked === stored.rows ? {} : { rows: result.asked };
    signals.push({ ...part, ...rows, nulls, of: 'output', ...(logits && { logits }) });
    await breathe();
  }
  return { signals, notices };
}

/** Texts of the classes that are in `values`, and of those between them, by their number. */
const classesOf = (values: Float64Array): string[] => {
  const greatest = values.filter(Number.isFinite).reduce((one, other) => Math.max(one, other), -1);
  return Array.from({ length: greatest + 1 }, (_, i) => String(i));
};

/** Many rows at once where first dimensions are free, and one after the other where that fails. */
function waysOf(tensors: readonly RowTensor[], fault: FileFault): BaselineTask['ways'] {
  const single = { batch: 1, most: MOST_SINGLE };
  if (tensors.every(({ spec }) => spec.shape[0] === -1)) {
    const width = tensors.reduce((sum, tensor) => sum + tensor.width, 0);
    const batch = Math.max(1, Math.min(BATCH, Math.floor(ELEMENTS / width)));
    return batch === 1 ? [single] : [{ batch, most: MOST_ROWS }, single];
  }
  const fixed = new Set(tensors.map(({ spec }) => (spec.shape.length > 1 ? (spec.shape[0] as number) : 1)));
  fixed.delete(-1);
  if (fixed.size === 0 || (fixed.size === 1 && fixed.has(1))) return [single];
  const [batch = 1] = fixed;
  const isSame = tensors.every(({ spec }) => spec.shape.length > 1 && spec.shape[0] === batch);
  if (!isSame) {
    throw fault(
      'The inputs of the model take different numbers of rows at a time, so it cannot be run on reference data.',
      'Export the model with a free first dimension.',
    );
  }
  return [{ batch, most: MOST_SINGLE }];
}

/** As those that find any number of things in a picture. */
const UNFIT = 'The model’s answers are not watched: a row has several, or none.';

/** Not one row could be asked. */
function unasked({ ways: [way], stored }: BaselineTask): string {
  const why =
    way !== undefined && way.most === MOST_SINGLE && way.batch > stored.rows
      ? `it takes ${way.batch} rows at a time, and the reference has ${stored.rows}`
      : 'each row of the reference lacks an integer that it takes';
  return `The model’s answers are not watched: ${why}.`;
}

function refused(message: string, fault: FileFault): Error {
  return fault(
    `The model refuses its rows: ${message}.`,
    'Give it rows that the model can answer, in the form in which its graph takes them.',
  );
}

function failure(
  outcome: Exclude<ProcessOutcome<Result>, { kind: 'done' }>,
  { gist }: Pick<ArtifactRuntime, 'gist'>,
  fault: FileFault,
): Error {
  if (outcome.kind === 'failed' || outcome.kind === 'crashed') return refused(gist(outcome.message), fault);
  return fault(
    `The model took too ${outcome.kind === 'memory' ? 'much memory' : 'long'} while ${outcome.stage} on its rows.`,
    'Take a sample of its rows, in their order.',
  );
}
