/**
 * Documents of an image, as they lie in a registry or in a folder:
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md and config.md,
 * https://github.com/distribution/distribution/blob/v2.8.3/docs/spec/manifest-v2-2.md
 */

/** Digests are `sha256:<hex>` everywhere here. */
export type Descriptor = {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
};

export type ImageManifest = {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
};

/** What a container is started with. Keys that nobody here reads are kept as they are. */
export type ContainerConfig = {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  /** `NAME=value` each. */
  readonly Env?: readonly string[] | null;
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly [key: string]: unknown;
};

export type ImageConfig = {
  readonly created?: string;
  readonly architecture: string;
  readonly os: string;
  readonly config?: ContainerConfig | null;
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly string[] };
  readonly history?: readonly { readonly empty_layer?: boolean; readonly [key: string]: unknown }[];
  readonly [key: string]: unknown;
};

/** Two families that say the same; all documents of an image are of one. */
type Family = { readonly manifest: string; readonly config: string; readonly layer: string };

const OCI: Family = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
};
const DOCKER: Family = {
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
};
const FAMILIES: readonly Family[] = [OCI, DOCKER];

/** Media types of manifests of one image each: what Lambda takes. */
export const IMAGE_MANIFESTS: readonly string[] = FAMILIES.map(({ manifest }) => manifest);

/** Media types of lists of images, one an architecture: what Lambda does not take. */
export const INDEXES: readonly string[] = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];

/** @param mediaType of a manifest; absent: OCI's, where the key may be left out */
export const familyOf = (mediaType: string | undefined): Family =>
  FAMILIES.find(({ manifest }) => manifest === mediaType) ?? OCI;

/** https://github.com/distribution/distribution/blob/v2.8.3/docs/spec/manifest-v2-2.md#media-types */
const DOCKER_LAYERS: readonly string[] = [
  DOCKER.layer,
  'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
];

/** @returns media type of a layer that a manifest of Docker’s does not have: not packed, or by zstd */
export const strangeLayer = ({ mediaType, layers }: ImageManifest): string | undefined =>
  mediaType === DOCKER.manifest
    ? layers.map((layer) => layer.mediaType).find((type) => !DOCKER_LAYERS.includes(type))
    : undefined;

/**
 * The manifest as Docker’s specification says it: of the same layers, whose bytes are the same. Those that it
 * does not have stay as they are.
 */
export const inDockersWords = (manifest: ImageManifest): ImageManifest => ({
  ...manifest,
  mediaType: DOCKER.manifest,
  layers: manifest.layers.map((layer) =>
    layer.mediaType === OCI.layer ? { ...layer, mediaType: DOCKER.layer } : layer,
  ),
});

/** Architectures, as Lambda and as images say them. */
export const IMAGE_ARCHITECTURES = { x86_64: 'amd64', arm64: 'arm64' } as const;
