import { resolve } from 'node:path';
import { shownReference } from '../../../core/text/shown-reference.ts';
import { sizeText } from '../../../core/units/bytes.ts';
import { type Command, modelOf, usage } from '../context/context.ts';
import { writeBom } from '../images/bom-files.ts';
import { makeImage, pushMade } from '../images/made.ts';
import { imageBom } from '../ship/oci/bom.ts';
import type { BaseImage, NamedLayer } from '../ship/oci/image.ts';
import { type LaidOut, writeLayout } from '../ship/oci/layout.ts';
import type { Pushed } from '../ship/oci/push.ts';
import { type ImageReference, readPlace, referenceText } from '../ship/oci/reference.ts';

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
    base: {
      usage: 'The image that it is laid over: host/repository@sha256:…; default: image.base, else AWS’s own',
      type: 'string',
    },
    sbom: {
      usage: 'Write what is in it there, as CycloneDX 1.7 (default: beside the folder)',
      type: 'string',
    },
    json: { usage: 'Print JSON', type: 'boolean' },
  },
  run: async (context) => {
    const { flags, service, print } = context;
    const model = modelOf(context);
    const to = typeof flags.push === 'string' ? placeOf(flags.push) : undefined;
    const made = await makeImage(model, typeof flags.base === 'string' ? flags.base : undefined, context);
    const { image, identity, base, layers, card } = made;
    const { digest } = image.manifest;
    const folder = typeof flags.output === 'string' ? resolve(service.dir, flags.output) : undefined;
    const report: Report = {
      model: model.name,
      digest,
      identity,
      base,
      layers,
      bytes: image.blobs.reduce((sum, { size }) => sum + size, 0),
    };
    // What is of this machine before what others see.
    const out = folder && (await writeLayout(image, folder, model.name, '--output'));
    const sbom = await writeBom(imageBom(card, { digest, base, layers }), model.name, {
      path: typeof flags.sbom === 'string' ? resolve(service.dir, flags.sbom) : undefined,
      folder,
    });
    const pushed = to && (await pushMade(made, to, context));
    const all = {
      ...report,
      ...(out && folder !== undefined && { output: { folder, ...out } }),
      ...(pushed &&
        to && {
          pushed: {
            reference: referenceText({ ...to, digest }),
            ...(to.tag !== undefined && { tag: to.tag }),
            ...pushed,
          },
        }),
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
  readonly pushed?: Pushed & { readonly reference: string; readonly tag?: string };
  readonly sbom?: string;
};

function placeOf(text: string): ImageReference {
  const read = readPlace(text);
  if ('wrong' in read)
    throw usage('--push', `${shownReference(text)} ${read.wrong}.`, 'Write `host/repository:tag`.');
  return read;
}

function described({ base, layers, ...report }: Report) {
  return {
    ...report,
    architecture: base.config.architecture,
    base: { reference: base.reference, node: base.node },
    layers: layers.map(({ name, diffId, digest, size }) => ({ name, diffId, digest, bytes: size })),
  };
}

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
      `${output.folder}:${model}, ${output.writtenBlobs} of ${output.blobs} blobs, ${sizeText(output.writtenBytes)}`,
    ]);
  if (pushed !== undefined) {
    const { reference, sentBlobs, blobs: all, sentBytes, tag } = pushed;
    const bare =
      tag === undefined
        ? '; without a tag: it is found by this digest alone, and registries may remove it'
        : '';
    rows.push(['pushed', `${reference}, ${sentBlobs} of ${all} blobs, ${sizeText(sentBytes)} sent${bare}`]);
  }
  if (sbom !== undefined) rows.push(['sbom', sbom]);
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${text}`).join('\n');
}
