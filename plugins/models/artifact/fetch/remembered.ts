import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSameVersion, originChanges, plainOrigin } from '../../../../core/origin/origin.ts';
import type { ResolvedArtifact, SourceContext } from '../../contracts/sources/artifact-source.ts';
import { cacheFolder, keyOf } from '../../disk/cache.ts';
import { writeWhole } from '../../disk/whole.ts';
import { problemError } from '../../problems/errors.ts';
import { type HttpFault, httpFault, isHttpFault } from './http-fault.ts';

/** What references to registries stood for, by this machine's memory: it may be deleted at any time. */

type Noted = {
  readonly schema: 1;
  readonly at: string;
  readonly resolved: ResolvedArtifact;
  /** What it stood for before it moved. */
  readonly before?: { readonly at: string; readonly resolved: ResolvedArtifact };
};

/** Who is asked for what. */
export type Asked = {
  readonly reference: string;
  /** For people, for example "MLflow at https://…". */
  readonly who: string;
  /** Its address: the same reference means another thing elsewhere. */
  readonly at: string;
  /** What to do about a refusal: which variables say who asks. */
  readonly access: string;
};

/**
 * Resolves a reference, tells where it has moved since the last time, and goes on with what it stood for
 * where the registry cannot be reached: which one that is, is told. What refuses, and what is not trusted,
 * has been reached: an old version would hide that.
 *
 * @throws ProblemError `MODELS_ARTIFACT_MISSING`
 */
export async function rememberedResolve(
  asked: Asked,
  context: SourceContext,
  resolve: () => Promise<ResolvedArtifact>,
): Promise<ResolvedArtifact> {
  const note = cacheFolder('references', `${keyOf(asked.at, asked.reference).slice(0, 32)}.json`);
  const known = await readNote(note);
  let resolved: ResolvedArtifact;
  try {
    resolved = plainly(await resolve());
  } catch (error) {
    if (!isHttpFault(error)) throw error;
    if (error.kind !== 'unreachable' || known === undefined) throw unfetched(asked, context, error);
    const { version = '', at = asked.at } = known.resolved.origin ?? {};
    if (error.version !== undefined && error.version !== version)
      throw unfetched(asked, context, moved(error, version));
    // Whose group of SageMaker it was, only its answer tells.
    const place = at === asked.at ? '' : ` of ${at}`;
    return {
      ...known.resolved,
      notices: [
        ...(known.resolved.notices ?? []),
        `${asked.who} ${error.message}: ${asked.reference} is taken as ${shownVersion(version)}${place}, which it was on ${known.at.slice(0, 16)}Z.`,
      ],
    };
  }
  // Another account may have a group of the same name.
  const own = known?.resolved.origin?.at === resolved.origin?.at ? known : undefined;
  const [was, is] = [own?.resolved.origin, resolved.origin];
  const hasMoved = own !== undefined && !(was && is && isSameVersion(was, is));
  const before = hasMoved ? { at: own.at, resolved: own.resolved } : own?.before;
  const now: Noted = {
    schema: 1,
    at: new Date().toISOString(),
    resolved,
    ...(before !== undefined && { before }),
  };
  // A cache that cannot be written is told of by what needs it.
  await mkdir(dirname(note), { recursive: true })
    .then(() => writeWhole(note, JSON.stringify(now)))
    .catch(() => undefined);
  const notices = [
    ...(resolved.notices ?? []),
    ...(before === undefined ? [] : [movedLine(before, resolved)]),
  ];
  return { ...resolved, ...(notices.length > 0 && { notices }) };
}

/** It has been reached, and has told that it is another version now. */
const moved = ({ message, status, version }: HttpFault, before: string): HttpFault =>
  httpFault(
    'unreachable',
    message,
    status,
    `It is ${shownVersion(version)} now, and what this machine has is ${shownVersion(before)}: retry once all of it can be read.`,
  );

/** What a registry says is shown to people. */
const plainly = ({ origin, ...resolved }: ResolvedArtifact): ResolvedArtifact => ({
  ...resolved,
  ...(origin && { origin: plainOrigin(origin) }),
});

function movedLine(before: NonNullable<Noted['before']>, { reference, origin }: ResolvedArtifact): string {
  const was = before.resolved.origin;
  const changes = was === undefined || origin === undefined ? [] : originChanges(was, origin);
  const line = `${reference} is ${shownVersion(origin?.version)} now; it was ${shownVersion(was?.version)} on ${before.at.slice(0, 10)}`;
  return changes.length === 0 ? `${line}.` : `${line}: ${changes.join('; ')}.`;
}

/** A number, or a commit. */
const shownVersion = (version = ''): string => (/^\d{1,10}$/.test(version) ? `version ${version}` : version);

async function readNote(path: string): Promise<Noted | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const noted = JSON.parse(text) as Noted;
    if (noted.schema !== 1) return undefined;
    // An older version of the plugin kept what it was told.
    return { ...noted, resolved: plainly(noted.resolved) };
  } catch {
    return undefined;
  }
}

/** What is told of a registry that answers, and has not what was asked for. */
export const lacking = ({ reference, who }: Asked, key: string, message: string, fix: string): Error =>
  problemError([
    {
      code: 'MODELS_ARTIFACT_MISSING',
      key,
      value: reference,
      message: `${reference}: ${who} ${message}.`,
      fix,
    },
  ]);

/** What is told of a registry that gave nothing. */
export function unfetched({ reference, who, access }: Asked, { key }: SourceContext, error: unknown): Error {
  if (!isHttpFault(error)) throw error;
  const fixes = {
    unreachable: `Retry once it answers; what was packaged before is used where this machine has it.`,
    refused: access,
    absent: 'Check the name, and the address that is asked.',
    wrong: 'Check the address: something else may answer there, for example a proxy or a login page.',
  };
  return problemError(
    [
      {
        code: 'MODELS_ARTIFACT_MISSING',
        key,
        value: reference,
        message: `${reference}: ${who} ${error.message.replace(/\.$/, '')}.`,
        fix: error.fix ?? fixes[error.kind],
      },
    ],
    error,
  );
}
