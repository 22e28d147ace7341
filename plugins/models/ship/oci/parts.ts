import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CatalogManifest } from '../../../../core/catalog/contract.ts';
import {
  HOST_CONFIG,
  type HostConfig,
  IMAGE_CONFIGS,
  IMAGE_MODULES,
} from '../../../../core/host/contract.ts';
import type { ArtifactRuntime } from '../../contracts/artifact-format.ts';
import { catalogModel } from '../../contracts/catalog-model.ts';
import type { Facts, Model } from '../../declaration/model.ts';
import { keyOf } from '../../disk/cache.ts';
import { type ArchiveEntry, filesBelow } from '../../disk/files.ts';
import { inFolder } from '../../disk/folder.ts';
import { slowEdgesOf } from '../../plan/watch/metrics.ts';
import { HOST_FILES, writeHost } from '../host-program.ts';
import type { NamedLayer, OwnConfig } from './image.ts';
import { writeLayer } from './layer.ts';
import { TITLE } from './title.ts';

/** Where our files are in an image. Nothing of a base lies there. */
const ROOT = 'opt/serverless-models';
const PORT = 8080;

const HANDLERS = { infer: 'handler.mjs', batch: 'batch.mjs' } as const;

/** What is laid over a base, and what starts it; the same of the same model, wherever it is made. */
export type ImageParts = {
  /** What changes least comes first: what a registry has already is not sent. */
  readonly layers: readonly NamedLayer[];
  /** @param node path of it in the base */
  readonly configOf: (node: string) => OwnConfig;
};

/**
 * Makes the layers of a model's image: ONNX Runtime, the host, the model with its handler. Needs no network
 * but npm's, where ONNX Runtime was never used before.
 *
 * Neither stage nor account are in it, and no variable of the function, which may be a secret: one image is
 * for all stages.
 *
 * @param content of the function, unzipped
 * @param service its name, as clients see it
 * @throws ProblemError
 */
export async function imageParts(
  model: Model,
  {
    facts,
    runtime,
    content,
  }: {
    readonly facts: Facts;
    readonly runtime: ArtifactRuntime;
    readonly content: readonly ArchiveEntry[];
  },
  {
    service,
    page,
    progress,
  }: {
    readonly service: string;
    /** Script of the docs page. */
    readonly page: string;
    readonly progress: (text: string | undefined) => void;
  },
): Promise<ImageParts> {
  const { folder } = await runtime.onLambda.folder(model.architecture, progress);
  progress(`Packing the image of ${model.name}`);
  return inFolder<ImageParts>(async (work) => {
    const runtimeLayer = await writeLayer(below(`${ROOT}/runtime`, await filesBelow(folder)));
    await writeHost(work, page);
    const hostLayer = await writeLayer(below(`${ROOT}/host`, await filesBelow(work)));
    const catalog = catalogOf(model, facts, runtime, { service, version: hostLayer.diffId });
    const configs: ArchiveEntry[] = [];
    for (const room of ['infer', 'batch'] as const) {
      if (!content.some(({ path }) => path === HANDLERS[room])) continue;
      const text = JSON.stringify(hostConfigOf(model, facts, catalog, HANDLERS[room]));
      const path = IMAGE_CONFIGS[room].slice(1);
      const from = join(work, `${room}.json`);
      await writeFile(from, text);
      configs.push({ path, from, bytes: Buffer.byteLength(text) });
    }
    const modelLayer = await writeLayer([...below(`${ROOT}/model`, content), ...configs]);
    return {
      layers: [
        { ...runtimeLayer, name: `${runtime.name} ${runtime.version}` },
        { ...hostLayer, name: 'host' },
        { ...modelLayer, name: `model ${model.name}` },
      ],
      configOf: (node) => ({
        env: {
          [HOST_CONFIG]: IMAGE_CONFIGS.infer,
          NODE_PATH: IMAGE_MODULES.join(':'),
          // Who runs it may be in no /etc/passwd: then Node, which the SDK asks for a home, throws.
          HOME: '/tmp',
          // A base for Lambda names a folder of its own.
          LAMBDA_TASK_ROOT: `/${ROOT}/model`,
        },
        entrypoint: [node, `/${ROOT}/host/${HOST_FILES.host}`],
        workdir: '/',
        port: PORT,
        labels: {
          [TITLE]: model.name,
          'org.opencontainers.image.version': facts.identity,
        },
      }),
    };
  }).finally(() => progress(undefined));
}

/**
 * What an image is known by, whichever zlib packed its layers: the base as declared, our layers unpacked, and
 * what starts them. Where Node is in the base follows from the base. Nobody is asked.
 *
 * @param base digest of its manifest
 * @returns sha256 in hex
 */
export const imageIdentity = (base: string, { layers, configOf }: ImageParts): string =>
  keyOf(
    'image/1',
    base,
    layers.map(({ diffId }) => diffId),
    configOf('node'),
  );

const below = (folder: string, entries: readonly ArchiveEntry[]): readonly ArchiveEntry[] =>
  entries.map((entry) => ({ ...entry, path: `${folder}/${entry.path}` }));

/** Digits of a digest that tell versions apart for people. */
const SHORT = 12;

function hostConfigOf(model: Model, facts: Facts, catalog: CatalogManifest, handler: string): HostConfig {
  const slowEdges = slowEdgesOf(model.latency?.p95);
  return {
    schema: 1,
    port: PORT,
    catalog,
    models: [
      {
        name: model.name,
        handler: `/${ROOT}/model/${handler}`,
        version: facts.identity.slice(0, SHORT),
        timeout: model.timeout,
        ...(slowEdges && { slowEdges }),
      },
    ],
  };
}

/**
 * One model, at the root: who routes to it may put any prefix before it.
 *
 * @param version diff_id of the host's layer, which is what answers: the version of this package would make
 * another image of each, also where nothing in it is another
 */
const catalogOf = (
  model: Model,
  facts: Facts,
  runtime: ArtifactRuntime,
  { service, version }: { readonly service: string; readonly version: string },
): CatalogManifest => ({
  schema: 1,
  service,
  version: version.slice('sha256:'.length).slice(0, SHORT),
  runtime: runtime.version,
  groups: [
    {
      path: '/',
      auth: 'none',
      bare: model.name,
      models: [catalogModel({ name: model.name, function: model.name, auth: 'none' }, model, facts)],
    },
  ],
});
