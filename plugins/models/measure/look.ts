import type { BenchDocument } from '../../../core/capacity/contract.ts';
import type { Timing } from '../../../core/capacity/generator.ts';
import type { Model } from '../declaration/model.ts';
import type { BenchAsking } from './asking.ts';
import { benchProblem } from './problems.ts';
import type { BenchRequests } from './requests.ts';
import { GRACE } from './scenarios.ts';
import type { BenchTarget } from './target.ts';

type LookGiven = {
  readonly model: Model;
  readonly requests: BenchRequests;
  readonly target: BenchTarget;
  readonly timing: Pick<Timing, 'clock'>;
};

/** Cases that are asked once before anything is measured. */
const LOOKED_AT = 20;

/** Who refuses what the model never sees, and what to do then. */
const REFUSED = {
  lambda: {
    words: 'Lambda throttles it',
    fix: 'Wait until fewer of its instances are in use, or give the model or the account more concurrency.',
  },
  gateway: {
    words: 'what stands before it says',
    fix: 'An API that IAM guards is asked through `sls models proxy`.',
  },
} as const;

/** The first answer by itself, then some more: nothing is measured of a target that answers wrongly. */
export async function firstLook(
  { model, requests, target, timing }: LookGiven,
  asking: BenchAsking,
): Promise<NonNullable<BenchDocument['first']>> {
  const patience = model.timeout * 1000 + GRACE;
  let answer = 0;
  for (let i = 0; i < Math.min(LOOKED_AT, requests.all.length); i += 1) {
    const at = timing.clock();
    const { by, fix, outcome, words = '' } = await asking.look(i, patience);
    if (i === 0) answer = timing.clock() - at;
    if (outcome === 'ok') continue;
    const which = requests.all.length > 1 ? ` to case ${i + 1} ${requests.from}` : '';
    if (outcome === 'late' || (outcome === 'failed' && i === 0))
      throw benchProblem(
        model.name,
        `does not answer${which} at ${target.name}: ${outcome === 'late' ? `none came within ${patience / 1000} s` : words}.`,
        fix ??
          (target.kind === 'url' ? 'Start `sls models serve`, or write another --url.' : 'Look at its log.'),
      );
    if (by !== undefined)
      throw benchProblem(
        model.name,
        `cannot be asked at ${target.name}: ${REFUSED[by].words}: ${words.replace(/\.$/, '')}.`,
        REFUSED[by].fix,
      );
    throw benchProblem(
      model.name,
      `answers wrongly${which} at ${target.name}: ${words.replace(/\.$/, '')}.`,
      'A load of wrong answers says nothing: fix the model, the case, or name other requests with --path.',
    );
  }
  return { answer, ...(target.started !== undefined && { start: target.started }) };
}
