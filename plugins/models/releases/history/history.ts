/** The releases of a model, as the registry keeps them. */
import { isMalformed } from '../../../../core/registry/document.ts';
import type { Registry } from '../../../../core/registry/port.ts';
import type { Release } from '../../../../core/release/document/contract.ts';
import type { Deployment } from '../../../../core/release/document/history-contract.ts';
import type { VersionRef } from '../../../../core/release/document/parts-contract.ts';
import { commandsOf, isEnd, isPromoted } from '../../../../core/release/state/predicates.ts';
import { type About, aboutOf } from '../words/about.ts';
import { authorOf, isRollback, offerOf, type Records } from './author.ts';
import type { Past } from './past.ts';
import { backAt, pastEnd, pastOutcome } from './past-outcome.ts';
import { wholeDeployment, wholeRecord, wholeRelease } from './whole.ts';

type Documents = Pick<
  Registry,
  'release' | 'archives' | 'archived' | 'deployment' | 'deployments' | 'records' | 'recorded'
>;

type Read = {
  /** Newest first. */
  readonly pasts: readonly Past[];
  /** How many releases among them are of a schema that this plugin does not know, or damaged. */
  readonly unread: number;
  /** How many are older than the `limit` newest. */
  readonly older: number;
};

/**
 * @param exists is there such a function? The registry keeps the documents of a model beyond its end: what
 * they say runs, runs no more
 * @returns the newest `limit` releases of a model
 */
export async function historyOf(
  documents: Documents,
  model: string,
  limit: number,
  exists: (functionName: string) => Promise<boolean> = async () => true,
): Promise<Read> {
  const [live, names, ids] = await Promise.all([
    documents.release(model).catch((error: unknown): { readonly release?: Release } => {
      if (isMalformed(error)) return {};
      throw error;
    }),
    documents.archives(model),
    documents.deployments(),
  ]);
  const now = wholeRelease(live?.release);
  // Who may not ask does not know better than the document.
  const isGone = now !== undefined && !(await exists(now.functionName).catch(() => true));
  // One that could not be replaced after all was archived before that turned out.
  const older = names.filter((name) => now === undefined || !name.endsWith(`-${now.release}`)).reverse();
  const archived = once(async (name) => wholeRelease(await documents.archived(model, name)));
  // One more than is shown: what was live at its end tells what the next one was about.
  const read = await Promise.all(older.slice(0, limit).map(archived));
  const found = live === undefined ? read : [now, ...read];
  const releases = found.filter((release) => release !== undefined);
  const records: Records = {
    ids,
    deployment: once(async (id) => wholeDeployment(await documents.deployment(id))),
    between: async (from, to) => {
      const meanwhile = older.filter((name) => name >= stamp(from) && name < stamp(to));
      const others = await Promise.all(meanwhile.map(archived));
      return others.map((other) => other && aboutOf(other, undefined).to?.fingerprint);
    },
  };
  const versions = once(() => documents.records(model));
  const pasts = await Promise.all(
    releases.slice(0, limit).map(async (release, index): Promise<Past> => {
      const about = aboutOf(release, releases[index + 1]);
      const deploy = await authorOf(release, about.to?.fingerprint, records);
      const artifact = await artifactOf(documents, model, about.to, deploy, versions);
      const past = pastOf(release, about, deploy, artifact, releases[index - 1]);
      return isGone && release === now ? removed(past) : past;
    }),
  );
  return {
    pasts,
    unread: found.slice(0, limit).filter((release) => release === undefined).length,
    older: Math.max(0, older.length + (live === undefined ? 0 : 1) - limit),
  };
}

/** What can be read of it. */
export const readHistory = async (...of: Parameters<typeof historyOf>): Promise<readonly Past[]> =>
  (await historyOf(...of)).pasts;

/** Asked for the same again, it gives what it gave. */
function once<T>(read: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const known = new Map<string, Promise<T>>();
  return (key) => {
    const found = known.get(key) ?? read(key);
    known.set(key, found);
    return found;
  };
}

/** How the names of releases begin. */
const stamp = (at: number): string => new Date(at).toISOString().replace(/[^0-9TZ]/g, '');

type Artifact = Pick<Past, 'source' | 'identity' | 'fingerprint' | 'origin' | 'card' | 'promoted'>;

/**
 * What was deployed then: as the release itself says it, else as whatever has this very fingerprint does.
 * Numbers of versions begin anew with each function of the same name, so the record of a number may be
 * another version’s.
 *
 * @param versions names of the records of the model’s versions
 */
async function artifactOf(
  documents: Pick<Documents, 'recorded'>,
  model: string,
  to: VersionRef | undefined,
  deploy: Deployment | undefined,
  versions: (key: string) => Promise<readonly string[]>,
): Promise<Artifact> {
  if (to === undefined) return {};
  const offered = deploy && offerOf(deploy, model);
  const fingerprint = to.fingerprint ?? offered?.fingerprint;
  if (fingerprint === undefined) return {};
  const ofOffer = offered?.fingerprint === fingerprint ? offered : undefined;
  const names = (await versions(model)).filter(
    (name) => name === to.version || name.startsWith(`${to.version}-`),
  );
  const found = await Promise.all(names.map((name) => documents.recorded(model, name)));
  const known = found.find((one) => one?.fingerprint === fingerprint);
  const record = known && wholeRecord(known);
  const source = to.source ?? ofOffer?.source ?? record?.source;
  const identity = ofOffer?.identity ?? record?.identity;
  return {
    fingerprint,
    ...(source && { source }),
    ...(identity && { identity }),
    ...(record?.origin && { origin: record.origin }),
    ...(record?.card && { card: record.card }),
    ...(ofOffer?.promoted && { promoted: ofOffer.promoted }),
  };
}

function pastOf(
  release: Release,
  about: About,
  deploy: Deployment | undefined,
  artifact: Artifact,
  after: Release | undefined,
): Past {
  const { phase, promotedAt, promotedBy, shifts, steps = [], stable } = release;
  const { from, to } = about;
  const endedAt = promotedAt ?? (isEnd(phase) ? pastEnd(release, about, after) : undefined);
  const rolledBackAt = backAt(release, about);
  const last = shifts.findLast(({ weight }) => weight > 0);
  const commands = commandsOf(release).map(({ release: _, ...one }) => one);
  const weight = promotedAt === undefined ? last?.weight : 100;
  return {
    model: release.model,
    release: release.release,
    startedAt: release.startedAt,
    ...(deploy && {
      by: deploy.by,
      deployment: deploy.id,
      plugin: deploy.plugin,
      command: isRollback(deploy) ? 'rollback' : 'deploy',
      ...(deploy.forced === true && { forced: true }),
    }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to: to.version }),
    ...artifact,
    ...(release.gate && { gate: release.gate }),
    ...(weight !== undefined && { weight }),
    ...(last && { step: { number: last.step + 1, of: steps.length } }),
    judgements: release.judgements,
    phase,
    outcome: pastOutcome(release, about),
    ...(commands.length > 0 && { commands }),
    // Asked for alone, it may have been rolled back before it had all traffic.
    ...(promotedBy && promotedAt !== undefined && isPromoted(release) && { promotedBy: promotedBy.by }),
    ...(phase === 'ROLLED_BACK' && stable && { restored: stable.version }),
    ...(endedAt !== undefined && { endedAt }),
    ...(rolledBackAt !== undefined && { rolledBackAt }),
    ...(release.reason !== undefined && { reason: release.reason }),
  };
}

/** The newest release of a model that is not deployed any more. */
const removed = (past: Past): Past => ({
  ...past,
  ...(past.endedAt === undefined && { outcome: `${past.outcome} when the model was removed` }),
  gone: true,
});
