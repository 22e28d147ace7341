import { plainText } from '../text/plain.ts';
import type { ArtifactOrigin, OriginApproval, OriginDataset, ToldOrigin } from './contract.ts';

/**
 * More is cut: of fifty models all of it stands in one template, which ends at a megabyte:
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
 */
const LIST = 10;
const TEXT = 80;
/** What names a version to its registry is asked for again: MLflow's own limit for the name of a model. */
const NAME = 256;

type Limits = { readonly list: number; readonly text: number; readonly name: number };
const BOUNDS: Limits = { list: LIST, text: TEXT, name: NAME };
const NONE: Limits = { list: Infinity, text: Infinity, name: Infinity };

/** The same in texts of one line each, without what nobody sees. */
export const plainOrigin = (origin: ArtifactOrigin): ArtifactOrigin => limited(origin, NONE);

/** The same, short enough to be a property of a resource. */
export const boundedOrigin = (origin: ArtifactOrigin): ArtifactOrigin => limited(origin, BOUNDS);

function limited(origin: ArtifactOrigin, limits: Limits): ArtifactOrigin {
  const cut = (text: string, most = limits.text): string => {
    const line = plainText(text);
    return line.length > most ? `${line.slice(0, most - 1)}…` : line;
  };
  const {
    alias,
    run,
    by,
    commit,
    measured,
    approval,
    licence,
    task,
    bases = [],
    datasets = [],
    metrics = [],
  } = origin;
  return {
    from: origin.from,
    at: cut(origin.at, limits.name),
    name: cut(origin.name, limits.name),
    version: cut(origin.version),
    ...(alias !== undefined && { alias: cut(alias) }),
    ...(run !== undefined && { run: cut(run) }),
    ...(by !== undefined && { by: cut(by) }),
    ...(commit !== undefined && { commit: cut(commit) }),
    ...(measured !== undefined && { measured: cut(measured) }),
    ...(approval !== undefined && {
      approval: {
        status: cut(approval.status),
        ...(approval.by !== undefined && { by: cut(approval.by) }),
        ...(approval.reason !== undefined && { reason: cut(approval.reason) }),
      },
    }),
    ...(licence !== undefined && { licence: cut(licence) }),
    ...(task !== undefined && { task: cut(task) }),
    ...(bases.length > 0 && { bases: bases.slice(0, limits.list).map((base) => cut(base)) }),
    ...(datasets.length > 0 && {
      datasets: datasets.slice(0, limits.list).map(({ name, digest, context }) => ({
        name: cut(name),
        ...(digest !== undefined && { digest: cut(digest) }),
        ...(context !== undefined && { context: cut(context) }),
      })),
    }),
    ...(metrics.length > 0 && {
      metrics: metrics.slice(0, limits.list).map(({ name, value, dataset }) => ({
        name: cut(name),
        value,
        ...(dataset !== undefined && { dataset: cut(dataset) }),
      })),
    }),
  };
}

/** @returns what a property of a resource says; undefined where it is no such thing */
export function readOrigin(text: string | undefined): ArtifactOrigin | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isOrigin(value) ? boundedOrigin(value) : undefined;
  } catch {
    return undefined;
  }
}

type Fields = Readonly<Record<string, unknown>>;
const isText = (value: unknown): boolean => typeof value === 'string';
const isTextOrNone = (value: unknown): boolean => value === undefined || isText(value);
const isListOf = (value: unknown, is: (one: Fields) => boolean): boolean =>
  value === undefined ||
  (Array.isArray(value) && value.every((one) => typeof one === 'object' && one !== null && is(one)));

function isOrigin(value: unknown): value is ArtifactOrigin {
  if (typeof value !== 'object' || value === null) return false;
  const {
    from,
    at,
    name,
    version,
    alias,
    run,
    by,
    commit,
    measured,
    approval,
    licence,
    task,
    bases,
    datasets,
    metrics,
  } = value as Fields;
  return (
    typeof from === 'string' &&
    Object.hasOwn(NAMES, from) &&
    [at, name, version].every(isText) &&
    [alias, run, by, commit, measured, licence, task].every(isTextOrNone) &&
    isListOf(
      approval === undefined ? undefined : [approval],
      (one) => isText(one.status) && [one.by, one.reason].every(isTextOrNone),
    ) &&
    (bases === undefined || (Array.isArray(bases) && bases.every(isText))) &&
    isListOf(datasets, (one) => isText(one.name) && isTextOrNone(one.digest) && isTextOrNone(one.context)) &&
    isListOf(metrics, (one) => isText(one.name) && typeof one.value === 'number' && isTextOrNone(one.dataset))
  );
}

/** `churn version 3 (champion) of MLflow, run 0a1b…, by ann; auc 0.91 on churn-2026-11` */
export function originLine({
  from,
  name,
  version,
  alias,
  run,
  by,
  approval,
  datasets = [],
  metrics = [],
}: ToldOrigin): string {
  const training = datasets.filter(isTraining);
  return [
    `${name} ${shownVersion(from, version, 'at ')} of ${NAMES[from]}`,
    alias === undefined ? '' : ` (${alias})`,
    run === undefined ? '' : `, run ${run}`,
    by === undefined ? '' : `, by ${by}`,
    approval === undefined ? '' : `; ${approvalLine(approval)}`,
    training.length === 0 ? '' : `; trained on ${training.map((one) => one.name).join(', ')}`,
    metrics.length === 0
      ? ''
      : `; ${metrics.map((one) => `${one.name} ${one.value}${one.dataset === undefined ? '' : ` on ${one.dataset}`}`).join(', ')}`,
  ].join('');
}

/** MLflow’s documentation writes `training`, and its own autologging `train`. */
export const isTraining = ({ context = '' }: Pick<OriginDataset, 'context'>): boolean =>
  /^train(ing)?$/i.test(context);

const NAMES = { mlflow: 'MLflow', huggingface: 'Hugging Face', sagemaker: 'SageMaker' } as const;

/** A number, or the begin of a commit. */
const shownVersion = (from: ArtifactOrigin['from'], version: string, before = ''): string =>
  from === 'huggingface' ? `${before}${version.slice(0, 12)}` : `version ${version}`;

const approvalLine = ({ status, by, reason }: OriginApproval): string =>
  `${status} there${by === undefined ? '' : `, last changed by ${by}`}${reason === undefined ? '' : `: ${reason}`}`;

/**
 * The same version of the same place. A model that was deleted, and registered anew, counts its versions from
 * 1 again: they are of other runs.
 */
export const isSameVersion = (one: ArtifactOrigin, other: ArtifactOrigin): boolean =>
  (['from', 'at', 'name', 'version', 'run'] as const).every((key) => one[key] === other[key]);

/**
 * `version 3: auc 0.9 → 0.91 on churn-2026-11`; undefined where both are one version of one place. What was
 * recorded may be cut.
 */
export function originDifference(recorded: ArtifactOrigin, packaged: ArtifactOrigin): string | undefined {
  const [before, now] = [boundedOrigin(recorded), boundedOrigin(packaged)];
  if (isSameVersion(before, now)) return undefined;
  const { from, name, version } = before;
  const what = `${name === now.name ? '' : `${name} `}${shownVersion(from, version)}`;
  const place = before.at === now.at ? '' : ` at ${before.at}`;
  const changes = originChanges(before, now);
  return `${what}${place}${changes.length === 0 ? '' : `: ${changes.join('; ')}`}`;
}

/** What differs between two versions of one place, for a person; empty where nothing of note does. */
export function originChanges(before: ArtifactOrigin, now: ArtifactOrigin): readonly string[] {
  const changes: string[] = [];
  const metrics = new Map(before.metrics?.map((one) => [`${one.name} ${one.dataset ?? ''}`, one.value]));
  for (const { name, value, dataset } of now.metrics ?? []) {
    const was = metrics.get(`${name} ${dataset ?? ''}`);
    if (was !== value)
      changes.push(
        `${name} ${was ?? 'not known'} → ${value}${dataset === undefined ? '' : ` on ${dataset}`}`,
      );
  }
  const data = ({ datasets = [] }: ArtifactOrigin): string =>
    datasets.map(({ name, digest }) => (digest === undefined ? name : `${name} (${digest})`)).join(', ') ||
    'not known';
  if (data(before) !== data(now)) changes.push(`datasets ${data(before)} → ${data(now)}`);
  if (before.run !== now.run) changes.push(`run ${before.run ?? 'not known'} → ${now.run ?? 'not known'}`);
  if (before.commit !== now.commit)
    changes.push(`commit ${before.commit ?? 'not known'} → ${now.commit ?? 'not known'}`);
  if (before.by !== now.by) changes.push(`by ${before.by ?? 'not known'} → ${now.by ?? 'not known'}`);
  return changes;
}
