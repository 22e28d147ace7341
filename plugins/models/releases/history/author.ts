import type { Release } from '../../../../core/release/document/contract.ts';
import type { Deployment } from '../../../../core/release/document/history-contract.ts';
import { ulidTime } from './ulid.ts';

/** Which deploy began a release. */

/** What is known of the deploys of a service, and of the other releases of the model. */
export type Records = {
  /** Ids of all deploys, oldest first. */
  readonly ids: readonly string[];
  readonly deployment: (id: string) => Promise<Deployment | undefined>;
  /**
   * Fingerprints (undefined: not known) of the releases of the model that began in this time, its end
   * excluded.
   */
  readonly between: (from: number, to: number) => Promise<readonly (string | undefined)[]>;
};

/**
 * Deploys that are looked through. Those of a service’s other models, and those that failed early, lie
 * between.
 */
const LOOKS = 20;

/**
 * The worker writes the deploy’s id into the release once it is told, and the record of a deploy names its
 * releases. Where it was interrupted before either, or superseded too early, it is the newest one that
 * offered this very fingerprint, and whose offer no other release took. The framework’s own rollback brings a
 * template of which its record knows nothing.
 *
 * @param fingerprint of what was released, where it is known
 */
export async function authorOf(
  { model, release, deployment, startedAt }: Pick<Release, 'model' | 'release' | 'deployment' | 'startedAt'>,
  fingerprint: string | undefined,
  { ids, deployment: read, between }: Records,
): Promise<Deployment | undefined> {
  const isTheirs = (one: Deployment): boolean => {
    const offered = offerOf(one, model);
    if (offered === undefined) return isRollback(one);
    return fingerprint === undefined || offered.fingerprint === fingerprint;
  };
  if (deployment !== undefined) {
    const named = await read(deployment.id);
    // Older workers wrote the id of whoever ticked, also of a deploy that had followed the release before.
    if (named === undefined || isTheirs(named)) return named;
  }
  const start = Date.parse(startedAt);
  const earlier = ids.filter((id) => ulidTime(id) <= start).slice(-LOOKS);
  const found = (await Promise.all(earlier.map(read))).filter((one) => one !== undefined).reverse();
  const told = found.find((one) => endOf(one, model)?.release === release && isTheirs(one));
  if (told !== undefined) return told;
  const free = found.filter((one) => endOf(one, model) === undefined);
  for (const one of free) {
    if (fingerprint === undefined || offerOf(one, model)?.fingerprint !== fingerprint) continue;
    if (!(await between(ulidTime(one.id), start)).includes(fingerprint)) return one;
  }
  const rollback = free.find(isRollback);
  const isLast = rollback !== undefined && (await between(ulidTime(rollback.id), start)).length === 0;
  return isLast ? rollback : undefined;
}

/** Is it the record of `sls rollback`, which brings back a template that the command line does not know? */
export const isRollback = ({ models }: Deployment): boolean => models.length === 0;

/** How a deploy's release of a model ended, once it has. */
const endOf = ({ releases }: Deployment, of: string) =>
  releases !== undefined && Object.hasOwn(releases, of) ? releases[of] : undefined;

/** What a deploy offered of a model. */
export const offerOf = ({ models }: Deployment, of: string): Deployment['models'][number] | undefined =>
  models.find(({ model }) => model === of);
