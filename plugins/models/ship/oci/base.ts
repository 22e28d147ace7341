import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AwsConfig } from '../../../../core/ports/config.ts';
import { shownReference } from '../../../../core/text/shown-reference.ts';
import pinned from '../../../../layers/base/base.json' with { type: 'json' };
import type { Architecture } from '../../declaration/model.ts';
import { RUNTIME } from '../../declaration/naming.ts';
import { cacheFolder, once } from '../../disk/cache.ts';
import { isProblemError, problemError } from '../../problems/errors.ts';
import { configIn, manifestIn, platformIn, platformOf, type Refuse } from './base-documents.ts';
import { type BaseNode, nodeIn } from './base-node.ts';
import { type Descriptor, type ImageConfig, INDEXES } from './documents.ts';
import { isRegistryFault, type RegistryFault, type RegistryLimits } from './exchange.ts';
import type { BaseImage } from './image.ts';
import { loginFix, registryFor } from './login.ts';
import { type ImageReference, readReference, referenceText } from './reference.ts';

/** Node's major version that functions are made for: Lambda's runtime has the same. */
const NODE = /\d+/.exec(RUNTIME)?.[0] ?? '';

export type BaseOptions = {
  /** `image.base`; absent: AWS's own, which `layers/base/base.json` pins. */
  readonly declared: string | undefined;
  readonly architecture: Architecture;
  /** YAML path to blame. */
  readonly key: string;
  readonly aws: AwsConfig;
  readonly progress: (text: string | undefined) => void;
  readonly limits?: RegistryLimits;
};

/**
 * What a base is declared as, without asking anybody: what a version's fingerprint knows of it.
 *
 * @throws ProblemError `MODELS_IMAGE_BASE` for what is no reference with a digest
 */
export function baseReference({
  declared,
  architecture,
  key,
}: Pick<BaseOptions, 'declared' | 'architecture' | 'key'>): ImageReference & { readonly digest: string } {
  const text = declared ?? `${pinned.image}@${pinned.digests[architecture]}`;
  const read = readReference(text);
  if ('wrong' in read) {
    const fix = `Write \`${written(key, 'host/repository@sha256:…')}\`, with all 64 digits for \`…\`.`;
    throw refused(key, shownReference(text), `${shownReference(text)} ${read.wrong}`, fix);
  }
  const { digest } = read;
  if (digest !== undefined) return { ...read, digest };
  throw refused(
    key,
    declared,
    `${text} is a tag, which may be another image tomorrow`,
    `Write \`${written(key, `${referenceText({ host: read.host, repository: read.repository })}@sha256:…`)}\`, with the digest of the image for ${platformOf(architecture)}. ${howToFind(read, architecture, key)}`,
  );
}

/** As it is to be written: on the command line, or in serverless.yml. */
const written = (key: string, value: string): string => `${key}${key.startsWith('--') ? '' : ':'} ${value}`;

/**
 * Commands that tell the digest of one image in an index; each is of another program, of which one is there.
 * https://github.com/google/go-containerregistry/blob/main/cmd/crane/doc/crane_digest.md
 */
function howToFind({ url: _, ...place }: ImageReference, architecture: Architecture, key: string): string {
  const text = referenceText({ tag: 'latest', ...place });
  // With the option it was looked up already.
  const own = key.startsWith('--') ? '' : `\`sls models image --base ${text}\` looks it up; `;
  return `${own}\`crane digest --platform ${platformOf(architecture)} ${text}\` prints it; \`docker buildx imagetools inspect ${text}\` and \`skopeo inspect --raw docker://${text}\` list it beside its platform.`;
}

const MANIFEST = 'manifest.json';
const CONFIG = 'config.json';
const NODE_FACTS = 'node.json';
const blobFile = (folder: string, digest: string): string => join(folder, 'blobs', digest.replace(':', '-'));

/** Part of the cache key: raise it when other things are kept of a base. */
const RECIPE = 2;

/**
 * Brings a base from its registry, once a machine: manifest, configuration and layers, each with the digest
 * that it must have. It must be one image for this architecture, with the Node that our code is for.
 *
 * @throws ProblemError `MODELS_IMAGE_BASE`, with what is wrong with it
 */
export async function fetchBase(options: BaseOptions): Promise<BaseImage> {
  const { architecture, key, aws, progress, limits } = options;
  const reference = await withDigest(options);
  const { digest } = reference;
  const text = referenceText(reference);
  const refuse = (message: string, fix: string): Error => refused(key, text, message, fix);
  const folder = cacheFolder('image-bases', `${RECIPE}-${architecture}-${digest.slice('sha256:'.length)}`);
  try {
    await once(folder, async (draft) => {
      progress(`Fetching the base ${text}`);
      const registry = await registryFor(reference, { aws, ...(limits && { limits }) });
      const fetched = await registry.getManifest(digest);
      const manifest = manifestIn(fetched, reference, architecture, refuse);
      await mkdir(join(draft, 'blobs'));
      await registry.getBlob(manifest.config, join(draft, CONFIG));
      const config = configIn(
        await readFile(join(draft, CONFIG), 'utf8'),
        manifest,
        text,
        architecture,
        refuse,
      );
      const known: Record<string, string> = {};
      const layers = [...new Map(manifest.layers.map((layer) => [layer.digest, layer])).values()];
      const total = layers.reduce((sum, { size }) => sum + size, 0);
      let done = 0;
      for (const layer of layers) {
        const to = blobFile(draft, layer.digest);
        await registry.getBlob(layer, to, (bytes) =>
          progress(
            `Fetching the base ${text} (${Math.round(((done + bytes) / total) * 100)} % of ${Math.round(total / 1e6)} MB)`,
          ),
        );
        done += layer.size;
        known[`blobs/${layer.digest.replace(':', '-')}`] = layer.digest.slice('sha256:'.length);
      }
      const node = await nodeOf(manifest.layers, draft, config, text, refuse);
      await writeFile(join(draft, MANIFEST), fetched.bytes);
      await writeFile(join(draft, NODE_FACTS), JSON.stringify(node));
      return known;
    });
  } catch (error) {
    if (isRegistryFault(error)) throw unavailable(key, reference, error);
    throw error;
  } finally {
    progress(undefined);
  }
  const [manifest, config, node] = await Promise.all(
    [MANIFEST, CONFIG, NODE_FACTS].map(async (name) =>
      JSON.parse(await readFile(join(folder, name), 'utf8')),
    ),
  );
  return {
    reference: text,
    digest,
    manifest,
    config,
    node,
    file: (blob) => blobFile(folder, blob),
  };
}

/** A tag is looked up once more, so that what to write can be told. */
async function withDigest(options: BaseOptions): Promise<ReturnType<typeof baseReference>> {
  try {
    return baseReference(options);
  } catch (error) {
    if (!isProblemError(error)) throw error;
    const { declared: text = '' } = options;
    const read = readReference(text);
    const [problem] = error.problems;
    if ('wrong' in read || problem === undefined) throw error;
    const found = await lookUp(read, options).catch((fault: unknown) => fault);
    if (isRegistryFault(found)) {
      const why = `${read.host} was asked for it, too, and the registry ${found.message}.`;
      throw problemError([{ ...problem, fix: `${problem.fix} ${why}` }], found);
    }
    if (typeof found !== 'string') throw error;
    const { host, repository } = read;
    const fix = `Write \`${written(options.key, referenceText({ host, repository, digest: found }))}\`: that is ${text} for ${platformOf(options.architecture)} now.`;
    throw problemError([{ ...problem, fix }], error);
  }
}

async function lookUp(
  { tag = 'latest', ...place }: ImageReference,
  { aws, limits, architecture }: BaseOptions,
): Promise<string | undefined> {
  const registry = await registryFor(place, { aws, limits: { ...limits, ...HASTY } });
  const fetched = await registry.getManifest(tag);
  return INDEXES.includes(fetched.mediaType) ? platformIn(fetched, architecture) : fetched.digest;
}

/** For a text that would be better with it: nobody waits long for that. */
const HASTY = { patience: 5000, checking: 5000, attempts: 1, pause: 0, longest: 0 };

async function nodeOf(
  layers: readonly Descriptor[],
  folder: string,
  config: ImageConfig,
  text: string,
  refuse: Refuse,
): Promise<BaseNode> {
  const files = layers.map(({ digest }) => blobFile(folder, digest));
  const found = await nodeIn(files, config.config?.Env ?? []).catch((error: unknown) => {
    throw refuse(
      `${text} has a layer that cannot be read: ${error instanceof Error ? error.message : error}`,
      'Name an image whose layers are tar archives, packed with gzip or zstd.',
    );
  });
  if ('wrong' in found)
    throw refuse(
      `${text} ${found.wrong}`,
      `Name an image with Node.js ${NODE}, built on glibc 2.34 or later.`,
    );
  if (!found.version.startsWith(`${NODE}.`))
    throw refuse(
      `${text} has Node.js ${found.version} at ${found.path}, and the host is made for ${NODE}`,
      `Name an image with Node.js ${NODE}.`,
    );
  return found;
}

const refused = (key: string, value: unknown, message: string, fix: string): Error =>
  problemError([{ code: 'MODELS_IMAGE_BASE', key, value, message: `${message}.`, fix }]);

const unavailable = (key: string, reference: ImageReference, fault: RegistryFault): Error =>
  problemError(
    [
      {
        code: 'MODELS_IMAGE_BASE',
        key,
        value: referenceText(reference),
        message: `${referenceText(reference)} cannot be fetched: the registry ${fault.message}.`,
        fix: fault.fix ?? FIXES[fault.kind](reference.host),
      },
    ],
    fault,
  );

const FIXES: Readonly<Record<RegistryFault['kind'], (host: string) => string>> = {
  refused: (host) => loginFix(host, 'pull it'),
  absent: () => 'Name a repository and a digest that are there.',
  unreachable: () =>
    'Try again once it answers, or name an image in a registry that can be reached from here.',
  wrong: () =>
    'Find out what this address serves: a registry has the API of the OCI distribution specification.',
};
