import { isThrottled } from '../errors/aws-errors.ts';
import type { Invoked } from '../ports/aws.ts';
import type { RowScores } from '../quality/contract.ts';
import {
  type Answered,
  type Asking,
  allEnded,
  answerOf,
  askCase,
  askToStart,
  type Memo,
  willPass,
} from './ask.ts';
import { FAIR } from './budget.ts';
import { type CaseLine, caseLines, readCase } from './cases.ts';
import { cut, plain, refusalOf } from './compare.ts';
import { CASES_AT_ONCE, type CaseFailure, type GateState } from './contract.ts';
import { eventOf } from './event.ts';
import { type LoadAnswer, type LoadPorts, loadSeconds, runLoad } from './load.ts';
import { type MetricInput, measureRows } from './metric.ts';
import { type GateLimits, gateFaults, passed } from './verdict.ts';

export type GatePorts = LoadPorts & Pick<Asking, 'invoke' | 'reference'>;

export type GateInput = {
  readonly functionName: string;
  /** A version's number (or an alias). */
  readonly version: string;
  /** A release's settings will do. */
  readonly settings: GateLimits;
  /** What the slice before gave; undefined at the start. */
  readonly state: GateState | undefined;
  /** Milliseconds that this slice may take; the answers that it waits for included. */
  readonly budgetMs: number;
  /** The case file, where `settings.gate.cases` names one. */
  readonly casesText?: string | undefined;
  /** The labelled rows, where `settings.gate.metric` names some. */
  readonly metric?: MetricInput | undefined;
};

export type GateOutcome = {
  /** Without a verdict: call again with it. */
  readonly state: GateState;
  /** Cases that failed in this slice. */
  readonly failures: readonly CaseFailure[];
  /** What the labelled rows came to, those of the slices before included; to be given back to the next. */
  readonly scores?: RowScores;
};

/** So many failed cases make the answer clear. */
const ENOUGH = 100;

/**
 * One slice of the gate: the start check, then the cases in order, the labelled rows, then the load; whatever
 * fits into the budget. It ends with a verdict, or with a state to go on from. A slice that is repeated asks
 * the same again, and nothing else happens.
 *
 * Never throws for what AWS refuses: what may pass is the state's reason, without a verdict; what will not is
 * a fail.
 */
export async function runGate(ports: GatePorts, input: GateInput): Promise<GateOutcome> {
  const failures: CaseFailure[] = [];
  const lines = caseLines(input.casesText ?? '');
  let state: GateState = unwaiting(input.state, lines.length);
  let scores = input.metric?.scores;
  const memo: Memo = {};
  const outcome = (now: GateState): GateOutcome => ({ state: now, failures, ...(scores && { scores }) });
  const end = ports.clock() + input.budgetMs;
  const asking = (): Asking => ({ ...ports, ...input, patience: Math.max(1, end - ports.clock()) });

  try {
    if (state.done === 0) {
      const started = await askToStart(asking());
      state = { ...state, ...memoryOf(state, [started]) };
      if (started.failure !== undefined) return unstarted(state, started.failure);
    }
    let atOnce: number = CASES_AT_ONCE;
    while (state.done < lines.length && state.failed.length < ENOUGH) {
      const fair = end - ports.clock() >= FAIR * input.budgetMs;
      if (!fair && ports.clock() >= end) return outcome(state);
      const chunk = lines.slice(state.done, state.done + atOnce);
      const answered = await askCases(asking(), chunk, input, memo).catch((error: unknown) => {
        // The function may have fewer instances than that, by a reservation or beside its traffic.
        if (chunk.length === 1 || !isThrottled(error)) throw error;
        return undefined;
      });
      if (answered === undefined) {
        atOnce = 1;
        continue;
      }
      // What had only the rest of a budget gets a whole one in the next slice.
      if (!fair && answered.some(({ late }) => late)) return outcome(state);
      const found = answered.flatMap(({ failure }) => failure ?? []);
      failures.push(...found);
      state = {
        ...state,
        ...memoryOf(state, answered),
        done: state.done + chunk.length,
        failed: [...state.failed, ...found.map((failure) => failure.case)].slice(0, ENOUGH),
      };
    }
    const metric = input.settings.gate?.metric;
    if (
      metric !== undefined &&
      state.metric?.result === undefined &&
      gateFaults(state, input.settings).length === 0
    ) {
      if (input.metric === undefined)
        return outcome(refused(state, `There are no labelled rows to measure ${metric.name} with.`));
      const part = await measureRows(
        asking,
        metric,
        { ...input.metric, scores },
        state.metric,
        () => end - ports.clock() >= FAIR * input.budgetMs,
        () => ports.clock() >= end,
      );
      scores = part.scores;
      failures.push(...part.failures);
      const used = part.memory.map((memory) => ({ memory }));
      state = { ...state, ...memoryOf(state, used), metric: part.state };
      if (part.error !== undefined) throw part.error;
      if (part.state.result === undefined && part.state.refused.length === 0) return outcome(state);
    }
    const plan = input.settings.gate?.load;
    if (plan !== undefined && state.load === undefined && gateFaults(state, input.settings).length === 0) {
      if (lines.length === 0) return outcome(refused(state, 'The load has no cases to ask with.'));
      const needed = loadSeconds(plan) * 1000;
      if (needed > FAIR * input.budgetMs) {
        const reason = `A load of ${plan.duration} s does not fit into the ${Math.floor(input.budgetMs / 1000)} s that the gate has at a time.`;
        return outcome(refused(state, reason));
      }
      if (end - ports.clock() < needed) return outcome(state);
      state = await load(ports, input, lines, state);
    }
  } catch (error) {
    const reason = `Version ${input.version} or its reference cannot be asked: ${wordsOf(error)}`;
    return outcome({ ...state, ...(!willPass(error) && { verdict: 'fail' }), reason });
  }
  const faults = gateFaults(state, input.settings);
  const verdict = faults.length === 0 ? 'pass' : 'fail';
  const reason = faults.length === 0 ? passed(state, input.settings) : faults.join(' ');
  return outcome({ ...state, verdict, reason });
}

/** The state to begin a slice with: nothing in it says why it waited. */
function unwaiting(state: GateState | undefined, count: number): GateState {
  if (state === undefined) return { done: 0, count, failed: [] };
  const { reason: _, lease: __, verdict: ___, ...rest } = state;
  return { ...rest, count };
}

const refused = (state: GateState, reason: string): GateState => ({ ...state, verdict: 'fail', reason });

/** The message of a version that does not start holds no value of a request: there was none. */
function unstarted(state: GateState, failure: CaseFailure): GateOutcome {
  const got = failure.differences[0]?.got ?? failure.kind;
  return { state: refused(state, `It does not start: ${got}`), failures: [failure] };
}

function memoryOf(state: GateState, answered: readonly Answered[]): Pick<GateState, 'memory'> {
  const seen = [state.memory, ...answered.map(({ memory }) => memory)].filter((mb) => mb !== undefined);
  return seen.length === 0 ? {} : { memory: Math.max(...seen) };
}

async function askCases(
  asking: Asking,
  chunk: readonly CaseLine[],
  { settings, casesText = '' }: GateInput,
  memo: Memo,
): Promise<readonly Answered[]> {
  const { reference: endpoint, tolerance = 0 } = settings.gate ?? {};
  const reference = endpoint === undefined ? undefined : { endpoint, memo };
  const ask = ({ line, start, end }: CaseLine): Promise<Answered> =>
    askCase(asking, line, casesText.slice(start, end), tolerance, reference);
  return allEnded(chunk.map(ask));
}

/** The cases' inputs, round robin: nothing but them is known to be a request that the model takes. */
async function load(
  ports: GatePorts,
  { functionName, version, settings, casesText = '' }: GateInput,
  lines: readonly CaseLine[],
  state: GateState,
): Promise<GateState> {
  const plan = settings.gate?.load;
  if (plan === undefined) return state;
  const requests = lines.flatMap(({ start, end }) => {
    const read = readCase(casesText.slice(start, end));
    return 'fault' in read ? [] : [eventOf(read.request)];
  });
  let memory = state.memory;
  const ask = async (index: number, patience: number): Promise<LoadAnswer> => {
    let invoked: Invoked | undefined;
    try {
      const payload = requests[index % requests.length] ?? '{}';
      invoked = await ports.invoke.invoke(functionName, version, payload, patience);
    } catch {
      // Throttled, even after the SDK's own tries: under this load it is a failure.
      return { failed: true, cold: false };
    }
    if (invoked === undefined) return { failed: true, cold: false };
    if (invoked.memory !== undefined) memory = Math.max(memory ?? 0, invoked.memory);
    return {
      failed: invoked.crashed !== undefined || refusalOf(answerOf(invoked)) !== undefined,
      cold: invoked.init !== undefined,
      ...(invoked.duration !== undefined && { duration: invoked.duration }),
    };
  };
  const result = await runLoad(ports, plan, ask);
  return { ...state, load: result, ...(memory !== undefined && { memory }) };
}

const wordsOf = (error: unknown): string =>
  cut(plain(error instanceof Error ? `${error.name}: ${error.message}` : String(error)), 300);
