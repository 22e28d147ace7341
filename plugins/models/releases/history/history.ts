import type { ModelCard } from '../../../../core/card/contract.ts';
import { recordedCard } from '../../../../core/card/recorded.ts';
import { trainingLine } from '../../../../core/card/words.ts';
import type { GateState } from '../../../../core/gate/contract.ts';
import type { Judgement } from '../../../../core/judge/contract.ts';
import type { ArtifactOrigin } from '../../../../core/origin/contract.ts';
import { originLine } from '../../../../core/origin/origin.ts';
import type { Registry } from '../../../../core/registry/port.ts';
import type { Release } from '../../../../core/release/document/contract.ts';
import type { Deployment, PromotedFrom } from '../../../../core/release/document/history-contract.ts';
import type { Phase, VersionRef } from '../../../../core/release/document/parts-contract.ts';
import { endTime, isEnd } from '../../../../core/release/state/predicates.ts';
import { type About, aboutOf } from '../words/about.ts';
import { gateLine, VERDICTS } from '../words/lines.ts';
import { promotedLine } from '../words/promoted.ts';
import { span } from '../words/time.ts';
import { authorOf, isRollback, offerOf, type Records } from './author.ts';

/** The releases of a model, as the registry keeps them. */

/** What `sls models history --json` prints of a release. Times are ISO. */
export type Past = {
  readonly model: string;
  readonly release: string;
  readonly startedAt: string;
  /** ARN of who deployed; absent where it is not known. */
  readonly by?: string;
  readonly deployment?: string;
  readonly plugin?: string;
  /** What was run: `sls deploy`, or the framework’s `sls rollback`; absent where it is not known. */
  readonly command?: 'deploy' | 'rollback';
  /** The version that was live, absent for a first one, and the one that was released. */
  readonly from?: string;
  readonly to?: string;
  /** sha256 over the source artifact; absent where it is not known. */
  readonly source?: string;
  readonly fingerprint?: string;
  /** What a registry of models knew of the artifact, and what was told of it. */
  readonly origin?: ArtifactOrigin;
  readonly card?: ModelCard;
  /** The stage that validated it before, where the deploy took it from one. */
  readonly promoted?: PromotedFrom;
  readonly gate?: GateState;
  /** Percent of the traffic that it had at its end, or has; absent where it never had any. */
  readonly weight?: number;
  /** The last step in force: which (from 1) of how many. */
  readonly step?: { readonly number: number; readonly of: number };
  /** The last look of each step. */
  readonly judgements: readonly Judgement[];
  readonly phase: Phase;
  readonly outcome: string;
  /** Rolled back: the version that has all traffic since. */
  readonly restored?: string;
  /** When it was promoted, or given up. */
  readonly endedAt?: string;
  /** It ended with its model, which is not deployed any more. */
  readonly gone?: true;
  readonly reason?: string;
};

type Documents = Pick<
  Registry,
  'release' | 'archives' | 'archived' | 'deployment' | 'deployments' | 'records' | 'recorded'
>;

/**
 * @param exists is there such a function? The registry keeps the documents of a model beyond its end: what
 * they say runs, runs no more
 * @returns the newest `limit` releases of a model, newest first
 */
export async function readHistory(
  documents: Documents,
  model: string,
  limit: number,
  exists: (functionName: string) => Promise<boolean> = async () => true,
): Promise<readonly Past[]> {
  const [live, names, ids] = await Promise.all([
    documents.release(model),
    documents.archives(model),
    documents.deployments(),
  ]);
  const now = live?.release;
  // Who may not ask does not know better than the document.
  const isGone = now !== undefined && !(await exists(now.functionName).catch(() => true));
  // One that could not be replaced after all was archived before that turned out.
  const older = names.filter((name) => now === undefined || !name.endsWith(`-${now.release}`)).reverse();
  const archived = once((name) => documents.archived(model, name));
  // One more than is shown: what was live at its end tells what the next one was about.
  const read = await Promise.all(older.slice(0, limit).map(archived));
  const releases = [now, ...read].filter((release) => release !== undefined);
  const records: Records = {
    ids,
    deployment: once((id) => documents.deployment(id)),
    between: async (from, to) => {
      const meanwhile = older.filter((name) => name >= stamp(from) && name < stamp(to));
      const others = await Promise.all(meanwhile.map(archived));
      return others.map((other) => other && aboutOf(other, undefined).to?.fingerprint);
    },
  };
  const versions = once(() => documents.records(model));
  return Promise.all(
    releases.slice(0, limit).map(async (release, index): Promise<Past> => {
      const about = aboutOf(release, releases[index + 1]);
      const deploy = await authorOf(release, about.to?.fingerprint, records);
      const artifact = await artifactOf(documents, model, about.to, deploy, versions);
      const past = pastOf(release, about, deploy, artifact, releases[index - 1]);
      return isGone && release === now ? removed(past) : past;
    }),
  );
}

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

type Artifact = Pick<Past, 'source' | 'fingerprint' | 'origin' | 'card' | 'promoted'>;

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
  const promoted = offered?.fingerprint === fingerprint ? offered.promoted : undefined;
  const names = (await versions(model)).filter(
    (name) => name === to.version || name.startsWith(`${to.version}-`),
  );
  const found = await Promise.all(names.map((name) => documents.recorded(model, name)));
  const record = found.find((one) => one?.fingerprint === fingerprint);
  const ofOffer = offered?.fingerprint === fingerprint ? offered.source : undefined;
  const source = to.source ?? ofOffer ?? record?.source;
  return {
    fingerprint,
    ...(source && { source }),
    ...(record?.origin && { origin: record.origin }),
    ...(record?.card && { card: record.card }),
    ...(promoted && { promoted }),
  };
}

function pastOf(
  release: Release,
  about: About,
  deploy: Deployment | undefined,
  artifact: Artifact,
  after: Release | undefined,
): Past {
  const { phase, promotedAt, shifts, steps = [], stable } = release;
  const { from, to } = about;
  const endedAt = promotedAt ?? (isEnd(phase) ? endedAtOf(release, about, after) : undefined);
  const last = shifts.findLast(({ weight }) => weight > 0);
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
    }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to: to.version }),
    ...artifact,
    ...(release.gate && { gate: release.gate }),
    ...(weight !== undefined && { weight }),
    ...(last && { step: { number: last.step + 1, of: steps.length } }),
    judgements: release.judgements,
    phase,
    outcome: outcomeOf(release, about),
    ...(phase === 'ROLLED_BACK' && stable && { restored: stable.version }),
    ...(endedAt !== undefined && { endedAt }),
    ...(release.reason !== undefined && { reason: release.reason }),
  };
}

/** The newest release of a model that is not deployed any more. */
const removed = (past: Past): Past => ({
  ...past,
  ...(past.endedAt === undefined && { outcome: `${past.outcome} when the model was removed` }),
  gone: true,
});

/**
 * Documents of older workers do not tell it. Superseded is what was written down when the next one began; a
 * rollback is as old as its refusal; else nothing was noted later, as a rule.
 */
function endedAtOf(release: Release, { to }: About, after: Release | undefined): string {
  const { phase, refused, startedAt, updatedAt } = release;
  const refusal = refused.findLast(
    ({ fingerprint, at }) => fingerprint === to?.fingerprint && at >= startedAt,
  );
  const known = phase === 'SUPERSEDED' ? after?.startedAt : phase === 'ROLLED_BACK' ? refusal?.at : undefined;
  return endTime(release) ?? known ?? updatedAt;
}

function outcomeOf(release: Release, about: About): string {
  if (release.phase !== 'REVERSING') return outcomeIn(release.phase, release, about);
  const { from } = release.reversal;
  return from === 'BAKING'
    ? 'promoted, now doubted'
    : `${outcomeIn(from, release, about)}, and the live version is doubted`;
}

function outcomeIn(phase: Phase, release: Release, about: About): string {
  switch (phase) {
    case 'DONE':
    case 'BAKING':
      return release.returnedAt === undefined ? 'promoted' : `${wasOf(release)}, then brought back`;
    case 'ROLLED_BACK':
      return returnOf(release, about);
    case 'ABORTED':
      return 'given up';
    case 'SUPERSEDED':
      return 'superseded';
    case 'HELD':
      return 'held';
    default:
      return 'under way';
  }
}

const wasOf = ({ promotedAt }: Release): string =>
  promotedAt === undefined ? 'rolled back' : 'promoted, then rolled back';

/** Where traffic went back: to the version from before, to another one, or there and back. */
function returnOf(release: Release, { from, to }: About): string {
  const { promotedAt, stable, refused } = release;
  const was = wasOf(release);
  if (stable === undefined || stable.version === from || from === undefined) return was;
  if (stable.version === to?.version) return `${was}, then brought back`;
  if (promotedAt !== undefined) return `${was} to version ${stable.version}`;
  // Both at once, or the version that stayed live gave way later, after the release had come to nothing.
  const own = refused.find(({ fingerprint }) => fingerprint === to?.fingerprint);
  const theirs = refused.find(({ version }) => version === from);
  if (own !== undefined && (theirs ?? own).at === own.at)
    return `given up in favour of version ${stable.version}`;
  return `${own === undefined ? 'given up' : was}, then version ${from} gave way to version ${stable.version}`;
}

/** A block a release. */
export function historyText(model: string, pasts: readonly (Past & { readonly bench?: string })[]): string {
  if (pasts.length === 0) return `${model}: no release is recorded.`;
  const [newest] = pasts;
  const head = newest?.gone ? `${model}: is not deployed any more, its function is gone.` : model;
  return [head, ...pasts.map(pastText)].join('\n');
}

function pastText(past: Past & { readonly bench?: string }): string {
  const { startedAt, outcome, endedAt, source, origin, gate, judgements, reason, bench } = past;
  const line = (label: string, text: string): string => `      ${label.padEnd(10)}${text}`;
  const after = endedAt === undefined ? '' : ` after ${span(Date.parse(endedAt) - Date.parse(startedAt))}`;
  const traffic = trafficText(past);
  const told = recordedCard(past);
  return [
    `  ${startedAt.slice(0, 19).replace('T', ' ')} UTC  ${versionText(past)}  ${outcome}${after}`,
    line('by', authorText(past)),
    line('artifact', source === undefined ? 'not known' : `sha256 ${source.slice(0, 12)}`),
    ...(origin === undefined ? [] : [line('origin', originLine(origin))]),
    ...(told === undefined ? [] : [line('data', trainingLine(told))]),
    ...(past.promoted === undefined ? [] : [line('from', promotedLine(past.promoted))]),
    ...(gate === undefined ? [] : [line('gate', gateLine(gate))]),
    ...judgements.map((look) =>
      line(
        look.step === undefined ? 'judged' : `step ${look.step + 1}`,
        `${VERDICTS[look.verdict]}: ${look.reason}`,
      ),
    ),
    ...(traffic === undefined ? [] : [line('traffic', traffic)]),
    ...(bench === undefined ? [] : [line('bench', bench)]),
    // The look that decided says it already.
    ...(reason === undefined || reason.endsWith(judgements.at(-1)?.reason ?? '\n')
      ? []
      : [line('why', reason)]),
  ].join('\n');
}

function versionText({ from, to }: Past): string {
  if (to === undefined) return 'version not known';
  if (from === undefined) return `first version ${to}`;
  return from === to ? `version ${to} again` : `version ${from} → ${to}`;
}

function authorText({ by, plugin, command }: Past): string {
  if (by === undefined) return 'not known';
  return `${by}, plugin ${plugin}${command === 'rollback' ? ', by sls rollback' : ''}`;
}

/** How much of the traffic it had at its end, or has, and by which step. */
function trafficText({ weight, step }: Past): string | undefined {
  if (weight === undefined) return undefined;
  const at = step === undefined ? undefined : `step ${step.number} of ${step.of}`;
  if (weight === 100) return at === undefined ? 'all at once' : `all, after ${at}`;
  return at === undefined ? `${weight} %` : `${weight} % in ${at}`;
}
