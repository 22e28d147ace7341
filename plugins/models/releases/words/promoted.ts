import type { Measured, PromotedFrom } from '../../../../core/release/document/history-contract.ts';
import { fourDigits } from '../../../../core/units/digits.ts';
import { VERDICTS } from './lines.ts';

/** What people are told of the stage that something was taken from. Pure. */

/** `staging, version 3 of shop-staging: gate passed, 20 of 20 cases; …` */
export function promotedLine({ stage, stack, version, endedAt, gate, judged, bench }: PromotedFrom): string {
  return [
    `${stage}, version ${version} of ${stack}${endedAt === undefined ? '' : `, promoted ${minute(endedAt)}`}`,
    `gate ${gate.verdict === 'pass' ? 'passed' : gate.verdict}${gate.count === 0 ? '' : `, ${gate.done} of ${gate.count} cases`}`,
    ...(gate.metric === undefined ? [] : [measured(gate.metric)]),
    ...(judged === undefined ? [] : [`judged ${judged.verdict}: ${judged.reason}`]),
    ...(bench === undefined ? [] : [`bench of ${minute(bench.at)}`]),
  ].join('; ');
}

/** `auc 0.913 (0.9 to 0.925): pass` */
const measured = ({ name, verdict, estimate }: Measured): string =>
  `${estimate === undefined ? name : `${name} ${fourDigits(estimate.value)} (${fourDigits(estimate.low)} to ${fourDigits(estimate.high)})`}: ${VERDICTS[verdict]}`;

const minute = (at: string): string => `${at.slice(0, 16).replace('T', ' ')} UTC`;
