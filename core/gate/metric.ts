import { isThrottled } from '../errors/aws-errors.ts';
import { isObject } from '../json/is-object.ts';
import type { LiveVersion, MetricSettings, MetricState, RowScores } from '../quality/contract.ts';
import { judgeQuality } from '../quality/judge-quality.ts';
import { scoreRows } from '../quality/score-rows.ts';
import { type Asking, allEnded, askFor, willPass } from './ask.ts';
import { type CaseLine, caseLines } from './cases.ts';
import { CASES_AT_ONCE, type CaseFailure, type FailureKind } from './contract.ts';
import { type LabelledRows, labelledRequest, readLabelled, someRows } from './labelled.ts';
import { readTensor } from './tensors.ts';

/** So many refused rows make the answer clear; each costs the requests that find it. */
const ENOUGH_ROWS = 20;

/** The labelled rows, as the registry has them; what came of them so far; and what is live. */
export type MetricInput = {
  readonly text: string;
  readonly scores?: RowScores | undefined;
  readonly live?: LiveVersion | undefined;
};

export type MetricPart = {
  readonly state: MetricState;
  readonly scores: RowScores;
  readonly failures: readonly CaseFailure[];
  /** MB, of each answer of the version itself. */
  readonly memory: readonly number[];
  /** What AWS refused: the rows before it are scored. */
  readonly error?: unknown;
};

/**
 * Asks the version the labelled rows, and the live version the same ones, as many as the time allows. Both
 * are asked side by side, and together as many requests are out as for cases: they share what the function
 * may run at once with its traffic.
 *
 * @param asking with the time that is left @param isFair is enough of it left for lateness to count?
 * @param isOver is there time for no more?
 */
export async function measureRows(
  asking: () => Asking,
  settings: MetricSettings,
  input: MetricInput,
  before: MetricState | undefined,
  isFair: () => boolean,
  isOver: () => boolean,
): Promise<MetricPart> {
  const lines = caseLines(input.text);
  const read = ({ start, end }: CaseLine): LabelledRows => readLabelled(input.text.slice(start, end));
  const { live } = settings.worseThanLive === undefined ? { live: undefined } : input;
  let { own, theirs, refused, liveFault } = begun({ scores: input.scores, live }, before);
  const failures: CaseFailure[] = [];
  const memory: number[] = [];
  // Whole lines are done: the first row of the next one tells where to go on.
  let next = lines.findIndex((line) => read(line).first > own.length);
  if (next < 0) next = lines.length;
  own = own.slice(0, next < lines.length ? read(lines[next] as CaseLine).first - 1 : undefined);
  theirs = theirs.slice(0, own.length);

  const stateNow = (): MetricState => ({
    name: settings.name,
    rows: settings.cases.rows,
    done: own.length,
    refused,
    ...(liveFault !== undefined && { liveFault }),
  });
  const part = (state: MetricState): MetricPart => ({
    state,
    scores: { own, ...(live && { live: { version: live.version, scores: theirs } }) },
    failures,
    memory,
  });

  // The function may have fewer instances than are asked at once, by a reservation or beside its traffic.
  let isAlone = false;
  const sizes = { own: anySize(), live: anySize() };
  while (next < lines.length && refused.length < ENOUGH_ROWS) {
    const fair = isFair();
    if (!fair && isOver()) return part(stateNow());
    const isCompared = live !== undefined && liveFault === undefined;
    const atOnce = isAlone ? 1 : isCompared ? CASES_AT_ONCE / 2 : CASES_AT_ONCE;
    const some = lines.slice(next, next + atOnce).map(read);
    const left = { rows: ENOUGH_ROWS - refused.length };
    const asked = await askBoth(
      isAlone,
      () => allEnded(some.map((rows) => askRows(asking, rows, settings, left, sizes.own))),
      async () => (isCompared ? askLive(asking, live.version, some, settings, sizes.live) : undefined),
    ).catch((error: unknown) => ({ error }));
    if ('error' in asked) {
      if (isAlone || !isThrottled(asked.error)) return { ...part(stateNow()), error: asked.error };
      isAlone = true;
      continue;
    }
    const [answered, beside] = asked;
    const all = [...answered, ...(beside?.answered ?? [])];
    if (!fair && all.some(({ late }) => late)) return part(stateNow());
    for (const { scores, faults, memory: used } of answered) {
      own = [...own, ...scores];
      failures.push(...faults);
      refused = [...refused, ...faults.map((fault) => fault.case)];
      memory.push(...used);
    }
    if (beside?.fault !== undefined) liveFault = beside.fault;
    theirs = [...theirs, ...(beside?.answered ?? []).flatMap(({ scores }) => scores)];
    next += some.length;
  }
  if (refused.length > 0) return part(stateNow());
  const labels = lines.flatMap((line) => read(line).labels);
  const compared = live && { ...live, ...(liveFault !== undefined && { fault: liveFault }) };
  const done = part(stateNow());
  return { ...done, state: { ...done.state, result: judgeQuality(settings, done.scores, labels, compared) } };
}

/** Both versions beside each other, or in turn. @throws what AWS refused of either, once both have ended */
async function askBoth<A, B>(
  isAlone: boolean,
  own: () => Promise<A>,
  theirs: () => Promise<B>,
): Promise<readonly [A, B]> {
  if (isAlone) return [await own(), await theirs()];
  const [one, other] = await Promise.allSettled([own(), theirs()]);
  if (one.status === 'rejected') throw one.reason;
  if (other.status === 'rejected') throw other.reason;
  return [one.value, other.value];
}

/** What came of the rows so far. */
type Begun = Pick<MetricState, 'refused'> & {
  readonly own: readonly number[];
  readonly theirs: readonly number[];
  readonly liveFault: string | undefined;
};

/**
 * Nothing where another version is live by now, where the scores are lost, or where they are ahead of the
 * state, since a worker died between the two writes: what they lack would be told by the state alone. Then
 * all rows are asked again, and what the state says of them is of no row that was.
 */
function begun(
  { scores, live }: Pick<MetricInput, 'scores' | 'live'>,
  { refused, liveFault }: Pick<MetricState, 'refused' | 'liveFault'> = { refused: [] },
): Begun {
  const own = scores?.own ?? [];
  const theirs = scores?.live?.scores ?? [];
  const isOfLive = scores?.live?.version === live?.version;
  const isWhole = refused.length > 0 || own.every(Number.isFinite);
  const isBeside =
    live === undefined ||
    liveFault !== undefined ||
    (theirs.length === own.length && theirs.every(Number.isFinite));
  return own.length > 0 && isOfLive && isWhole && isBeside
    ? { own, theirs, refused, liveFault }
    : { own: [], theirs: [], refused: [], liveFault: undefined };
}

type RowsAnswered = {
  /** One a row; of faulty ones any. */
  readonly scores: readonly number[];
  readonly faults: readonly CaseFailure[];
  readonly late?: true;
  readonly memory: readonly number[];
};

/** Rows that a version answers within its time, as far as it is known. */
type Size = { most: number };
const anySize = (): Size => ({ most: Number.POSITIVE_INFINITY });

/**
 * The rows of a request. Where it is refused, by halves, until it is known which rows are at fault; where it
 * takes longer than the function may, too, since clients need not ask so many at once.
 * @param left how many faults are still of interest
 * @param size is lowered where so many rows took too long
 */
async function askRows(
  asking: () => Asking,
  rows: LabelledRows,
  settings: MetricSettings,
  left: { rows: number },
  size: Size,
): Promise<RowsAnswered> {
  const { first, labels } = rows;
  const none = labels.map(() => Number.NaN);
  if (left.rows <= 0) return { scores: none, faults: [], memory: [] };
  if (labels.length > size.most) return askHalves(asking, rows, settings, left, size, []);
  const now = asking();
  const {
    failure,
    late,
    memory: used,
    answer,
  } = await askFor(now, first, labelledRequest(rows, settings.output));
  const memory = used === undefined ? [] : [used];
  if (failure !== undefined) {
    const isSlow = failure.kind === 'timeout' && late === undefined;
    if (isSlow) size.most = Math.min(size.most, Math.max(1, labels.length >> 1));
    // What is refused is so at once; what takes its time has no more of it than is left.
    const again = isSlow ? asking : failure.kind === 'refused' ? () => now : undefined;
    if (again !== undefined && labels.length > 1) return askHalves(again, rows, settings, left, size, memory);
    left.rows -= 1;
    return { scores: none, faults: [{ ...failure, of: 'metric' }], ...(late && { late }), memory };
  }
  const scored = scoresOf(answer, rows, settings);
  if (typeof scored === 'string') {
    left.rows -= 1;
    return { scores: none, faults: [rowFailure(first, scored)], memory };
  }
  const faults = scored.flatMap((score, i) =>
    typeof score === 'string' ? [rowFailure(first + i, score)] : [],
  );
  left.rows -= faults.length;
  return { scores: scored.map((score) => (typeof score === 'string' ? Number.NaN : score)), faults, memory };
}

async function askHalves(
  asking: () => Asking,
  rows: LabelledRows,
  settings: MetricSettings,
  left: { rows: number },
  size: Size,
  memory: readonly number[],
): Promise<RowsAnswered> {
  const { length } = rows.labels;
  const middle = length >> 1;
  const one = await askRows(asking, someRows(rows, 0, middle), settings, left, size);
  // The time is over: nobody waits for the others' answers.
  const rest = one.late ? { rows: 0 } : left;
  const other = await askRows(asking, someRows(rows, middle, length), settings, rest, size);
  return {
    scores: [...one.scores, ...other.scores],
    faults: [...one.faults, ...other.faults],
    ...((one.late ?? other.late) && { late: true }),
    memory: [...memory, ...one.memory, ...other.memory],
  };
}

function scoresOf(
  answer: unknown,
  { labels }: LabelledRows,
  { name, output }: MetricSettings,
): ReturnType<typeof scoreRows> {
  const outputs = isObject(answer) && Array.isArray(answer.outputs) ? answer.outputs : [];
  const found: unknown = outputs.find((one) => isObject(one) && one.name === output);
  const tensor =
    found === undefined ? `There is no output ${output}.` : readTensor(found, `The output ${output}`);
  return typeof tensor === 'string' ? tensor : scoreRows(name, tensor, labels);
}

const rowFailure = (row: number, got: string, kind: FailureKind = 'different'): CaseFailure => ({
  case: row,
  of: 'metric',
  kind,
  differences: [{ at: 'answer', expected: 'a prediction', got }],
  more: 0,
});

/** By kind and number only: the words of a crash or a refusal may hold values of the row. */
const LIVE_FAULTS: Readonly<Record<FailureKind, (row: number) => string>> = {
  different: (row) => `it gives no prediction for row ${row}`,
  refused: (row) => `it refuses row ${row}`,
  timeout: (row) => `it does not answer row ${row} in time`,
  memory: (row) => `it runs out of memory at row ${row}`,
  crash: (row) => `it crashes at row ${row}`,
  reference: (row) => `row ${row} has nothing to compare with`,
  invalid: (row) => `row ${row} is no case`,
};

/** The live version is not at fault here: what it does not answer cannot be compared. */
async function askLive(
  asking: () => Asking,
  version: string,
  some: readonly LabelledRows[],
  settings: MetricSettings,
  size: Size,
): Promise<{ readonly answered: readonly RowsAnswered[]; readonly fault?: string }> {
  const own = (): Asking => ({ ...asking(), version });
  try {
    const answered = await allEnded(some.map((rows) => askRows(own, rows, settings, { rows: 1 }, size)));
    const [fault] = answered.flatMap(({ faults }) => faults);
    return fault === undefined ? { answered } : { answered, fault: LIVE_FAULTS[fault.kind](fault.case) };
  } catch (error) {
    if (willPass(error)) throw error;
    return { answered: [], fault: error instanceof Error ? error.name : 'it cannot be asked' };
  }
}
