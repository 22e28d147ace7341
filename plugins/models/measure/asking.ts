import type { BenchAnswer } from '../../../core/capacity/contract.ts';
import type { Generated } from '../../../core/capacity/generator.ts';
import { errorStatus } from '../../../core/errors/aws-errors.ts';
import { eventOf } from '../../../core/gate/event.ts';
import type { Signature } from '../../../core/tensor/contract.ts';
import { type Checked, checker } from './check.ts';
import type { BenchRequest } from './requests.ts';
import type { BenchTarget } from './target.ts';
import { unreachedFix } from './unreached.ts';

/** Failures in a row after which a target is taken to be gone. */
const GONE = 100;

/** Requests to a target, and what becomes of them. */
export type BenchAsking = {
  /** Never throws. @param patience milliseconds */
  readonly ask: (index: number, patience: number) => Promise<BenchAnswer>;
  /** The same, with what is wrong in words. */
  readonly look: (index: number, patience: number) => Promise<Checked>;
  readonly isGone: () => boolean;
  /** The words of the last answer that was not right. */
  readonly lastFault: () => string | undefined;
};

/** Stands for a request that was under way when a person interrupted. */
const CUT: BenchAnswer = { outcome: 'late', cold: false };

/** Without the requests that an interruption cut. */
export const uncut = (generated: Generated<BenchAnswer>): Generated<BenchAnswer> => ({
  ...generated,
  issued: generated.issued.filter(({ answer }) => answer !== CUT),
});

/** @param most milliseconds that a request is waited for */
export function benchAsking(
  { kind, invoke, functionName, version }: BenchTarget,
  requests: readonly BenchRequest[],
  signature: Signature,
  tolerance: number,
  { most, ended }: { readonly most: number; readonly ended: AbortSignal },
): BenchAsking {
  const check = checker(requests, signature, tolerance);
  const bodies = requests.map(({ body }) => (kind === 'function' ? eventOf(body) : body));
  const cuts = new Set<() => void>();
  ended.addEventListener('abort', () => {
    for (const cut of cuts) cut();
  });
  let failures = 0;
  let fault: string | undefined;

  const send = async (index: number, patience: number): Promise<BenchAnswer & Checked> => {
    const body = bodies[index % bodies.length] ?? '{}';
    try {
      const invoked = await invoke.invoke(functionName, version, body, Math.ceil(Math.min(patience, most)));
      const checked = check(index, invoked);
      return {
        ...checked,
        cold: invoked?.init !== undefined,
        ...(invoked?.init !== undefined && { init: invoked.init }),
        ...(invoked?.duration !== undefined && { duration: invoked.duration }),
        ...(invoked?.memory !== undefined && { memory: invoked.memory }),
        ...(invoked !== undefined && { bytes: Buffer.byteLength(invoked.payload) }),
      };
    } catch (error) {
      const words = wordsOf(error);
      const fix = unreachedFix(error);
      if (errorStatus(error) !== 429) return { outcome: 'failed', cold: false, words, ...(fix && { fix }) };
      return { outcome: 'refused', cold: false, words, by: 'lambda' };
    }
  };
  const look = async (index: number, patience: number): Promise<BenchAnswer & Checked> => {
    const answer = await send(index, patience);
    failures = answer.outcome === 'failed' ? failures + 1 : 0;
    if (answer.words !== undefined) fault = answer.words;
    return answer;
  };
  return {
    look,
    ask: (index, patience) =>
      new Promise((resolve) => {
        if (ended.aborted) return resolve(CUT);
        const cut = (): void => resolve(CUT);
        cuts.add(cut);
        void look(index, patience).then(({ words: _, by: __, fix: ___, ...answer }) => {
          cuts.delete(cut);
          resolve(answer);
        });
      }),
    isGone: () => failures >= GONE,
    lastFault: () => fault,
  };
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  return error.message || code || error.name;
}
