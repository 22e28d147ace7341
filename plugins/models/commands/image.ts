import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Command, type Context, modelOf, usage } from '../context/context.ts';
import { inFolder } from '../serve/folder.ts';
import { fetchBase } from '../ship/oci/base.ts';
import { imageBom } from '../ship/oci/bom.ts';
import { isRegistryFault } from '../ship/oci/exchange.ts';
import { type BaseImage, imageOf, type NamedLayer, type OciImage } from '../ship/oci/image.ts';
import { type LaidOut, writeLayout } from '../ship/oci/layout.ts';
import { registryFor } from '../ship/oci/login.ts';
import { imageIdentity, imageParts } from '../ship/oci/parts.ts';
import { type Pushed, pushImage, pushProblem } from '../ship/oci/push.ts';
import { type ImageReference, readReference, referenceText } from '../ship/oci/reference.ts';
import { pageScript } from '../ship/page-script.ts';
import { shipModel } from '../ship/ship.ts';

/**
 * `sls models image`: the image of a model, for whatever runs containers. Needs no Docker, and AWS only where
 * the registry is at ECR.
 */
export const command: Command = {
  usage: 'Make the container image of a model, without Docker: push it, or write it into a folder',
  options: {
    model: { usage: 'Name of the model', shortcut: 'm', type: 'string' },
    push: { usage: 'Push it there: host/repository:tag', type: 'string' },
    output: { usage: 'Write it into this folder, as an OCI layout', shortcut: 'o', type: 'string' },
    base: { usage: 'The image that it is laid over: host/repository@sha256:…', type: 'string' },
    sbom: {
      usage: 'Write what is in it there, as CycloneDX 1.7 (default: beside the folder)',
      type: 'string',
    },
    json: { usage: 'Print JSON', type: 'boolean' },
  },
  run: async (context) => {
    const { flags, progress, aws, service, print } = context;
    const model = modelOf(context);
    const to = typeof flags.push === 'string' ? pushPlace(flags.push) : undefined;
    const made = await inFolder(async (outDir) => {
      progress(`Packaging the model ${model.name}`);
      const shipped = await shipModel(model, { serviceDir: service.dir, outDir, progress, aws });
      // What a zip has no room for lies beside the handler here, where it is looked for first.
      const beside = shipped.facts.remote.flatMap(({ path, sha256, bytes }) => {
        const upload = shipped.uploads.find((one) => one.sha256 === sha256);
        return upload === undefined ? [] : [{ path, from: upload.from, bytes }];
      });
      const content = [...shipped.content, ...beside];
      const parts = await imageParts(
        model,
        { ...shipped, content },
        { service: service.name, page: await pageScript(), progress },
      );
      return { parts, card: shipped.facts.card };
    });
    const { architecture } = model;
    const base = await fetchBase({
      declared: typeof flags.base === 'string' ? flags.base : undefined,
      architecture,
      key: typeof flags.base === 'string' ? '--base' : `models.${model.name}.image.base`,
      aws,
      progress,
    });
    const { layers } = made.parts;
    const image = imageOf({ base, layers, config: made.parts.configOf(base.node.path) });
    const { digest } = image.manifest;
    const folder = typeof flags.output === 'string' ? resolve(service.dir, flags.output) : undefined;
    const report: Report = {
      model: model.name,
      digest,
      identity: imageIdentity(base.digest, made.parts),
      base,
      layers,
      bytes: image.blobs.reduce((sum, { size }) => sum + size, 0),
    };
    if (made.card === undefined) throw new Error(`${model.name} was packaged without a card`);
    const sbom = await writeBom(flags, folder, imageBom(made.card, { digest, base, layers }), service.dir);
    const out = folder && (await writeLayout(image, folder, to?.tag ?? 'latest', '--output'));
    const pushed = to && (await push(image, to, base, context));
    const all = {
      ...report,
      ...(out && folder !== undefined && { output: { folder, ...out } }),
      ...(pushed && to && { pushed: { reference: referenceText({ ...to, digest }), ...pushed } }),
      ...(sbom !== undefined && { sbom }),
    };
    print(flags.json ? JSON.stringify(described(all), null, 2) : spoken(all));
  },
};

type Report = {
  readonly model: string;
  readonly digest: string;
  readonly identity: string;
  readonly base: BaseImage;
  readonly layers: readonly NamedLayer[];
  /** What a registry keeps of it, the base's layers included. */
  readonly bytes: number;
  readonly output?: LaidOut & { readonly folder: string };
  readonly pushed?: Pushed & { readonly reference: string };
  readonly sbom?: string;
};

function pushPlace(text: string): ImageReference {
  const read = readReference(text);
  if ('wrong' in read) throw usage('--push', `${text} ${read.wrong}.`, 'Write `host/repository:tag`.');
  if (read.digest !== undefined)
    throw usage(
      '--push',
      `${text} names a digest, which follows from the image.`,
      'Write `host/repository:tag`.',
    );
  return read;
}

async function push(image: OciImage, to: ImageReference, base: BaseImage, context: Context): Promise<Pushed> {
  const { aws, progress } = context;
  const from = readReference(base.reference);
  const registry = await registryFor(to, { aws, write: true }).catch((error: unknown) => {
    throw isRegistryFault(error) ? pushProblem(to, error) : error;
  });
  return pushImage(registry, image, to, {
    ...(to.tag !== undefined && { tags: [to.tag] }),
    ...(!('wrong' in from) && from.host === to.host && { from: from.repository }),
    progress,
  });
}

async function writeBom(
  flags: Context['flags'],
  folder: string | undefined,
  bom: object,
  dir: string,
): Promise<string | undefined> {
  const path = typeof flags.sbom === 'string' ? resolve(dir, flags.sbom) : folder && `${folder}.cdx.json`;
  if (path === undefined) return undefined;
  try {
    await writeFile(path, `${JSON.stringify(bom, null, 2)}\n`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw usage('--sbom', `${path} cannot be written: ${why}.`, 'Name a file in a folder that exists.');
  }
  return path;
}

function described({ base, layers, ...report }: Report) {
  return {
    ...report,
    architecture: base.config.architecture,
    base: { reference: base.reference, node: base.node },
    layers: layers.map(({ name, diffId, digest, size }) => ({ name, diffId, digest, bytes: size })),
  };
}

const sizeText = (bytes: number): string =>
  bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

function spoken({ model, digest, base, layers, bytes, output, pushed, sbom }: Report): string {
  const under = base.manifest.layers.reduce((sum, { size }) => sum + size, 0);
  const rows: (readonly [string, string])[] = [
    ['image', `${model}, linux/${base.config.architecture}, ${sizeText(bytes)}`],
    ['digest', digest],
    ['base', `${base.reference}, Node.js ${base.node.version}, ${sizeText(under)}`],
    ...layers.map(({ name, size }) => ['layer', `${name}, ${sizeText(size)}`] as const),
  ];
  if (output !== undefined)
    rows.push([
      'written',
      `${output.folder}, ${output.writtenBlobs} of ${output.blobs} blobs, ${sizeText(output.writtenBytes)}`,
    ]);
  if (pushed !== undefined)
    rows.push([
      'pushed',
      `${pushed.reference}, ${pushed.sentBlobs} of ${pushed.blobs} blobs, ${sizeText(pushed.sentBytes)} sent`,
    ]);
  if (sbom !== undefined) rows.push(['sbom', sbom]);
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${text}`).join('\n');
}
