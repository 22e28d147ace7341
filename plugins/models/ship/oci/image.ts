import { createHash } from 'node:crypto';
import type { BaseNode } from './base-node.ts';
import {
  type ContainerConfig,
  type Descriptor,
  familyOf,
  type ImageConfig,
  type ImageManifest,
} from './documents.ts';
import type { OciLayer } from './layer.ts';

/** An image that others are laid over: its documents, and where its blobs are. */
export type BaseImage = {
  /** `host/repository@sha256:…`, as declared. */
  readonly reference: string;
  /** The manifest's. */
  readonly digest: string;
  readonly manifest: ImageManifest;
  readonly config: ImageConfig;
  readonly node: BaseNode;
  /** Absolute path of a blob of it, by digest. */
  readonly file: (digest: string) => string;
};

/** What our layers ask of a container that is started with them. */
export type OwnConfig = {
  /** Variables beside those of the base, or in their place. */
  readonly env: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly workdir: string;
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
};

/** A layer, and what people read of it in the image's history. */
export type NamedLayer = OciLayer & { readonly name: string };

/** Bytes by their digest: in memory, or in a file. */
export type Blob = Descriptor & { readonly from: { readonly file: string } | { readonly bytes: Uint8Array } };

type Document = { readonly bytes: Uint8Array; readonly digest: string };

export type OciImage = {
  readonly config: Document;
  readonly manifest: Document & { readonly mediaType: string };
  /** All that the manifest names, each once: the base's layers, ours, and the config. */
  readonly blobs: readonly Blob[];
};

/** Before computers: a date that is no news. */
const EPOCH = '1970-01-01T00:00:00Z';

/**
 * Lays layers over a base. The base's layers and configuration are kept, but for what would act in our place:
 * its user (a host chooses one, and Lambda its own), entry point, command, health check and signal to end.
 *
 * Pure: of the same base, layers and configuration it makes the same bytes. One image of one architecture,
 * as Lambda wants it: https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
 */
export function imageOf({
  base,
  layers,
  config,
}: {
  readonly base: Pick<BaseImage, 'manifest' | 'config' | 'file'>;
  readonly layers: readonly NamedLayer[];
  readonly config: OwnConfig;
}): OciImage {
  const family = familyOf(base.manifest.mediaType);
  const ours = layers.map(
    ({ digest, size, file }): Blob => ({ mediaType: family.layer, digest, size, from: { file } }),
  );
  const configBytes = bytesOf(configOf(base.config, layers, config));
  const configDescriptor = {
    mediaType: family.config,
    digest: digestOfBytes(configBytes),
    size: configBytes.length,
  };
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: family.manifest,
    config: configDescriptor,
    layers: [...base.manifest.layers, ...ours].map(({ mediaType, digest, size }) => ({
      mediaType,
      digest,
      size,
    })),
  };
  const manifestBytes = bytesOf(manifest);
  const blobs: readonly Blob[] = [
    ...base.manifest.layers.map(
      ({ mediaType, digest, size }): Blob => ({
        mediaType,
        digest,
        size,
        from: { file: base.file(digest) },
      }),
    ),
    ...ours,
    { ...configDescriptor, from: { bytes: configBytes } },
  ];
  return {
    config: { bytes: configBytes, digest: configDescriptor.digest },
    manifest: {
      bytes: manifestBytes,
      digest: digestOfBytes(manifestBytes),
      mediaType: family.manifest,
    },
    // A base may name an empty layer several times.
    blobs: [...new Map(blobs.map((blob) => [blob.digest, blob])).values()],
  };
}

function configOf(base: ImageConfig, layers: readonly NamedLayer[], own: OwnConfig): ImageConfig {
  const { config: given, created = EPOCH, architecture, os, rootfs, history } = base;
  const {
    User: _user,
    Entrypoint: _entrypoint,
    Cmd: _cmd,
    Healthcheck: _healthcheck,
    StopSignal: _signal,
    OnBuild: _onBuild,
    Shell: _shell,
    ...kept
  } = given ?? {};
  const config: ContainerConfig = {
    ...kept,
    Env: envOf(kept.Env ?? [], own.env),
    Entrypoint: own.entrypoint,
    WorkingDir: own.workdir,
    ExposedPorts: { ...kept.ExposedPorts, [`${own.port}/tcp`]: {} },
    Labels: { ...kept.Labels, ...own.labels },
  };
  const { variant, 'os.version': version } = base;
  return {
    created,
    architecture,
    ...(variant !== undefined && { variant }),
    os,
    ...(version !== undefined && { 'os.version': version }),
    config,
    rootfs: { type: 'layers', diff_ids: [...rootfs.diff_ids, ...layers.map(({ diffId }) => diffId)] },
    // One entry a layer, or none at all.
    ...(history !== undefined && {
      history: [
        ...history,
        ...layers.map(({ name }) => ({ created, created_by: `serverless-models: ${name}` })),
      ],
    }),
  };
}

/** Goes before the port of the host's configuration, which is the one that the image says it opens. */
const BASE_PORT = 'PORT';

/** The base's order, ours behind; a name once. */
function envOf(base: readonly string[], own: Readonly<Record<string, string>>): readonly string[] {
  const kept = base.filter((entry) => {
    const [name = ''] = entry.split('=');
    return name !== BASE_PORT && !Object.hasOwn(own, name);
  });
  return [...kept, ...Object.entries(own).map(([name, value]) => `${name}=${value}`)];
}

const bytesOf = (document: object): Uint8Array => Buffer.from(JSON.stringify(document));

/** @returns `sha256:<hex>` */
export const digestOfBytes = (bytes: Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
