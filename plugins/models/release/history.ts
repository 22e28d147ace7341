import type { Phase, Release } from '../../../functions/release/document/contract.ts';
import type { GateState } from '../../../functions/release/gate/contract.ts';
import type { Deployment, VersionRecord } from '../../../functions/release/history/contract.ts';
import type { Judgement } from '../../../functions/release/judge/contract.ts';
import { isEnd } from '../../../functions/release/steps.ts';
import type { Registry } from '../../../functions/shared/registry.ts';
import { span } from './time.ts';
import { gateLine, VERDICTS } from './words.ts';

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
  /** The version that was live, absent for a first one, and the one that was released. */
  readonly from?: string;
  readonly to?: string;
  /** sha256 over the source artifact. */
  readonly source?: string;
  readonly fingerprint?: string;
  readonly gate?: GateState;
  /** The last look of each step. */
  readonly judgements: readonly Judgement[];
  readonly phase: Phase;
  readonly outcome: string;
  /** When it was promoted, or given up. */
  readonly endedAt?: string;
  readonly reason?: string;
};

type Documents = Pick<Registry, 'release' | 'archives' | 'archived' | 'deployment' | 'deployments' | 'known'>;

/** @returns the newest `limit` releases of a model, newest first */
export async function readHistory(
  documents: Documents,
  model: string,
  limit: number,
): Promise<readonly Past[]> {
  const [live, names, deploys] = await Promise.all([
    documents.release(model),
    documents.archives(model),
    documents.deployments(),
  ]);
  const older = await Promise.all(
    [...names]
      .reverse()
      .slice(0, limit)
      .map((name) => documents.archived(model, name)),
  );
  const releases = [live?.release, ...older].filter((release) => release !== undefined).slice(0, limit);
  return Promise.all(
    releases.map(async (release) => {
      const { to } = pairOf(release);
      const [deployment, record] = await Promise.all([
        deploymentOf(documents, release, deploys),
        to === undefined ? undefined : documents.known(model, to),
      ]);
      return pastOf(release, deployment, record);
    }),
  );
}

/** The worker knows the deploy of a release once it was told; of one that failed before, the deploy's record names the release. */
async function deploymentOf(
  documents: Documents,
  { model, release, deployment, startedAt }: Release,
  ids: readonly string[],
): Promise<Deployment | undefined> {
  if (deployment !== undefined) return documents.deployment(deployment.id);
  // The deploy began before its release.
  const id = ids.findLast((one) => timeOf(one) <= Date.parse(startedAt));
  const found = id === undefined ? undefined : await documents.deployment(id);
  return found?.releases?.[model]?.release === release ? found : undefined;
}

const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** Milliseconds in a ULID. */
const timeOf = (id: string): number =>
  [...id.slice(0, 10)].reduce((time, digit) => time * 32 + DIGITS.indexOf(digit), 0);

function pairOf(release: Release): { readonly from?: string; readonly to?: string } {
  const { stable, candidate, lives } = release;
  const [from, to] =
    candidate === undefined
      ? [lives.find(({ version }) => version !== stable?.version)?.version, stable?.version]
      : [stable?.version, candidate.version];
  return {
    ...(from !== undefined && from !== to && { from }),
    ...(to !== undefined && { to }),
  };
}

export function pastOf(release: Release, deployment?: Deployment, record?: VersionRecord): Past {
  const { phase, promotedAt, updatedAt } = release;
  const pair = pairOf(release);
  const offered = deployment?.models.find(({ model }) => model === release.model);
  const known = record?.functionName === release.functionName ? record : offered;
  const endedAt = promotedAt ?? (isEnd(phase) ? updatedAt : undefined);
  return {
    model: release.model,
    release: release.release,
    startedAt: release.startedAt,
    ...(deployment && { by: deployment.by, deployment: deployment.id, plugin: deployment.plugin }),
    ...pair,
    ...(known && { source: known.source, fingerprint: known.fingerprint }),
    ...(release.gate && { gate: release.gate }),
    judgements: release.judgements,
    phase,
    outcome: outcomeOf(release),
    ...(endedAt !== undefined && { endedAt }),
    ...(release.reason !== undefined && { reason: release.reason }),
  };
}

function outcomeOf({ phase, promotedAt }: Release): string {
  switch (phase) {
    case 'DONE':
    case 'BAKING':
      return 'promoted';
    case 'REVERSING':
      return 'promoted, now doubted';
    case 'ROLLED_BACK':
      return promotedAt === undefined ? 'rolled back' : 'promoted, then rolled back';
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

/** A block a release. */
export function historyText(model: string, pasts: readonly Past[]): string {
  if (pasts.length === 0) return `${model}: no release is recorded.`;
  return [model, ...pasts.map(pastText)].join('\n');
}

function pastText(past: Past): string {
  const { startedAt, from, to, outcome, endedAt, by, plugin, source, gate, judgements, reason } = past;
  const line = (label: string, text: string): string => `      ${label.padEnd(10)}${text}`;
  const version = from === undefined ? `first version ${to ?? '?'}` : `version ${from} → ${to ?? '?'}`;
  const after = endedAt === undefined ? '' : ` after ${span(Date.parse(endedAt) - Date.parse(startedAt))}`;
  return [
    `  ${startedAt.slice(0, 19).replace('T', ' ')} UTC  ${version}  ${outcome}${after}`,
    line('by', by === undefined ? 'not known' : `${by}, plugin ${plugin}`),
    ...(source === undefined ? [] : [line('artifact', `sha256 ${source.slice(0, 12)}`)]),
    ...(gate === undefined ? [] : [line('gate', gateLine(gate))]),
    ...judgements.map((look) =>
      line(
        look.step === undefined ? 'judged' : `step ${look.step + 1}`,
        `${VERDICTS[look.verdict]}: ${look.reason}`,
      ),
    ),
    // The look that decided says it already.
    ...(reason === undefined || reason.endsWith(judgements.at(-1)?.reason ?? '\n')
      ? []
      : [line('why', reason)]),
  ].join('\n');
}
