import type { AliasState } from '../../ports/aws.ts';
import type { Release } from '../document/contract.ts';
import type { AliasRequest } from '../document/request-contract.ts';
import { allTraffic, pointsAt } from '../state/alias-target.ts';
import { isPending } from '../state/predicates.ts';

/** Why what was rolled back before is not released again; undefined: it was not, or is live, or forced. */
export function refusedBefore(
  base: Release | undefined,
  { fingerprint, version, model, forced, mark = '' }: AliasRequest,
  alias: AliasState | undefined,
): string | undefined {
  const found = base?.refused.find((one) => one.fingerprint === fingerprint);
  if (base === undefined || found === undefined || base.stable?.fingerprint === fingerprint) return undefined;
  // Somebody gave it all traffic: what is live is live. Not where a move of ours is to take it away still.
  const isLive = [version, found.version].some((one) => pointsAt(alias, allTraffic(one)));
  if (isLive && base.intent === undefined) return undefined;
  // Forced before, and on its way since then.
  if (isPending(base) && base.candidate?.fingerprint === fingerprint) return undefined;
  // The mark of an earlier template, which `sls rollback` brings back, knows nothing of what was refused
  // since.
  if (forced && found.at <= mark) return undefined;
  const older = forced ? ` (its --force is older: of ${clock(mark)})` : '';
  return (
    `version ${version} of ${model} is the same as version ${found.version}, which was rolled back on ${clock(found.at)}${older}: ${found.reason}; ` +
    'fix the model, or release it anyway with "sls deploy --force"'
  );
}

/** For people: the message is shown by CloudFormation and by the deploy that fails. */
const clock = (at: string): string => `${at.slice(0, 16).replace('T', ' ')} UTC`;
