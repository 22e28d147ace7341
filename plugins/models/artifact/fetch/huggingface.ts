import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fieldIn, textIn } from '../../../../core/json/fields.ts';
import type { ArtifactOrigin } from '../../../../core/origin/contract.ts';
import type {
  FetchedArtifact,
  ResolvedArtifact,
  ResolvedFile,
  SourceContext,
} from '../../contracts/sources/artifact-source.ts';
import { cacheFolder, keyOf, once, placeKnown } from '../../disk/cache.ts';
import { problemError } from '../../problems/errors.ts';
import { askFile, askJson } from './http.ts';
import { isHttpFault, unlessRefused } from './http-fault.ts';
import { namedServer } from './named-server.ts';
import { type Asked, rememberedResolve, unfetched } from './remembered.ts';

type Place = { readonly repo: string; readonly revision: string; readonly path: string };

const HUB = 'https://huggingface.co';

type Hub = Asked & { readonly headers: Readonly<Record<string, string>> } & Pick<SourceContext, 'progress'>;

/**
 * HF_ENDPOINT and HF_TOKEN, as Hugging Face's own tools read them: a name and a password of the address go
 * before the token.
 *
 * @throws ProblemError `MODELS_ARTIFACT_MISSING` where HF_ENDPOINT is no address
 */
function hubOf(reference: string, { key, progress }: SourceContext): Hub {
  const { HF_ENDPOINT: given, HF_TOKEN: token } = process.env;
  const fix = `Set HF_ENDPOINT to the address of a hub, for example ${HUB}, or unset it.`;
  const server = namedServer('HF_ENDPOINT', given?.trim() || HUB, (message, how = fix) =>
    problemError([
      {
        code: 'MODELS_ARTIFACT_MISSING',
        key,
        value: reference,
        message: `${reference}: ${message}`,
        fix: how,
      },
    ]),
  );
  const { at } = server;
  const authorization = server.authorization({ token });
  const access = 'Set HF_TOKEN to a token that may read it, and accept its terms where it has some.';
  return {
    ...{ reference, at, who: `Hugging Face at ${at}`, access },
    headers: authorization === undefined ? {} : { authorization },
    progress,
  };
}

/**
 * The file at its commit, with the digest that the hub tells.
 *
 * @throws ProblemError `MODELS_ARTIFACT_MISSING` with the hub's answer
 */
export async function resolveHubFile(
  reference: string,
  place: Place,
  context: SourceContext,
): Promise<ResolvedArtifact> {
  const hub = hubOf(reference, context);
  return rememberedResolve(hub, context, async () => {
    const [[file], about] = await Promise.all([
      infos(place, [place.path], hub, context),
      aboutOf(place, hub),
    ]);
    const path = place.path.slice(place.path.lastIndexOf('/') + 1);
    return {
      reference,
      isFolder: false,
      files: file === undefined ? [] : [{ ...file, path }],
      origin: { from: 'huggingface', at: hub.at, name: place.repo, version: place.revision, ...about },
    };
  });
}

/**
 * What the head of its README says, as the hub reads it; nothing where it does not answer that, since a model
 * is served without it. https://huggingface.co/docs/hub/model-cards#model-card-metadata
 */
async function aboutOf(
  { repo, revision }: Place,
  { at, headers, progress }: Hub,
): Promise<Pick<ArtifactOrigin, 'licence' | 'task' | 'bases'>> {
  const answer = await unlessRefused(
    askJson({ url: `${at}/api/models/${repo}/revision/${revision}`, headers, progress }),
  );
  const head = fieldIn(answer, 'cardData');
  const licence = textIn(head, 'license');
  // `other` has its name beside it.
  const named = licence === 'other' ? (textIn(head, 'license_name') ?? licence) : licence;
  const task = textIn(answer, 'pipeline_tag');
  const base = fieldIn(head, 'base_model');
  const bases = (Array.isArray(base) ? base : [base]).filter((one) => typeof one === 'string');
  return {
    ...(named !== undefined && { licence: named }),
    ...(task !== undefined && { task }),
    ...(bases.length > 0 && { bases }),
  };
}

/**
 * Size and digest of files: sha256 where they lie in LFS, else Git's own.
 * https://huggingface.co/docs/hub/api
 */
async function infos(
  { repo, revision }: Place,
  paths: readonly string[],
  { reference, who, at, headers, progress }: Hub,
  { key }: SourceContext,
): Promise<readonly ResolvedFile[]> {
  const url = `${at}/api/models/${repo}/paths-info/${revision}`;
  const answer = await askJson({ url, headers, body: { paths, expand: false }, progress });
  const found = Array.isArray(answer) ? answer : [];
  return paths.map((path) => {
    const file: unknown = found.find((one) => textIn(one, 'path') === path && textIn(one, 'type') === 'file');
    const large = fieldIn(file, 'lfs');
    const bytes = fieldIn(large, 'size') ?? fieldIn(file, 'size');
    const version = textIn(large, 'oid') ?? textIn(file, 'oid');
    if (typeof bytes === 'number' && version !== undefined) return { path, version, bytes };
    throw problemError([
      {
        code: 'MODELS_ARTIFACT_MISSING',
        key,
        value: reference,
        message: `${reference}: ${who} has no file ${path} at this commit.`,
        fix: 'Check the path, and the commit.',
      },
    ]);
  });
}

/**
 * Downloads the file, and the weights that it names from beside it. What has another digest than the hub told
 * is not taken.
 *
 * @throws ProblemError `MODELS_ARTIFACT_MISSING`
 */
export async function fetchHubFile(
  resolved: ResolvedArtifact,
  place: Place,
  beside: (file: string) => readonly string[],
  context: SourceContext,
): Promise<FetchedArtifact> {
  const { reference, files } = resolved;
  const hub = hubOf(reference, context);
  const [graph] = files;
  if (graph === undefined) throw new Error(`${reference} was resolved to no file`);
  const folder = place.path.slice(0, place.path.length - graph.path.length);
  const made = (
    names: readonly string[],
    list: () => Promise<readonly ResolvedFile[]>,
    known?: string,
  ): Promise<string> =>
    once(
      cacheFolder('huggingface', keyOf(hub.at, place.repo, place.revision, folder, names).slice(0, 32)),
      async (draft) => {
        for (const file of await list())
          if (!(await placeKnown(known, file.path, draft)))
            await downloadOne(file, { ...place, path: folder }, draft, hub, context);
      },
    );
  try {
    const alone = await made([graph.path], async () => files);
    const names = beside(join(alone, graph.path));
    if (names.length === 0) return { path: join(alone, graph.path), isOurs: true };
    const whole = await made(
      [graph.path, ...names],
      async () => {
        const weights = await infos(
          place,
          names.map((name) => `${folder}${name}`),
          hub,
          context,
        );
        return [graph, ...weights.map((file) => ({ ...file, path: file.path.slice(folder.length) }))];
      },
      alone,
    );
    return { path: join(whole, graph.path), isOurs: true };
  } catch (error) {
    throw isHttpFault(error) ? unfetched(hub, context, error) : error;
  }
}

/** @param place with the folder of the file as its path */
async function downloadOne(
  { path, version = '', bytes }: ResolvedFile,
  { repo, revision, path: folder }: Place,
  draft: string,
  { reference, who, at, headers, progress }: Hub,
  { key }: SourceContext,
): Promise<void> {
  const below = `${folder}${path}`.split('/').map(encodeURIComponent).join('/');
  const to = join(draft, path);
  let sha256 = '';
  try {
    const url = `${at}/${repo}/resolve/${revision}/${below}`;
    const line = `Downloading ${path} from ${at} (${Math.ceil(bytes / 1e6)} MB)`;
    progress(line);
    sha256 = await askFile({ url, headers, progress: (text = line) => progress(text) }, to, bytes);
  } finally {
    progress(undefined);
  }
  // Git's digest of a file is over its kind and length, too.
  const isGit = version.length === 40;
  if ((isGit ? await gitDigest(to, bytes) : sha256) === version) return;
  throw problemError([
    {
      code: 'MODELS_ARTIFACT_MISSING',
      key,
      value: reference,
      message: `${reference}: ${path} has another digest than ${who} told.`,
      fix: 'Retry; where it stays so, do not trust what answers there.',
    },
  ]);
}

async function gitDigest(path: string, bytes: number): Promise<string> {
  const hash = createHash('sha1').update(`blob ${bytes}\0`);
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
