import type { Imaged } from '../contracts/kept-image.ts';
import { baseReference } from '../ship/oci/base.ts';
import { imageIdentity, imageParts } from '../ship/oci/parts.ts';
import { referenceText } from '../ship/oci/reference.ts';
import { pageScript } from '../ship/page-script.ts';
import { builderOf } from '../targets/builders.ts';
import { targetOf } from '../targets/targets.ts';

/** Stands for Node’s place in the base, which nobody has fetched yet; the base’s digest says which it is. */
const NODE = 'node';

/**
 * Packs the layers of a model that runs from an image. Needs no network but npm’s, where ONNX Runtime was
 * never used before.
 *
 * @param service its name, as clients of the image see it
 */
export const imagedBy =
  (service: string, progress: (text: string | undefined) => void): Imaged =>
  async (model, shipped) => {
    const { facts } = shipped;
    if (targetOf(model).repository === undefined) return { facts };
    const { architecture, image: declared, name } = model;
    const key = `models.${name}.image.base`;
    const base = baseReference({ declared: declared?.base, architecture, key });
    const parts = await imageParts(model, shipped, {
      service,
      page: await pageScript(),
      progress,
    });
    const { layers } = parts;
    const notice = builderOf(model).notice?.(model, facts.unzippedBytes);
    return {
      facts: {
        ...facts,
        // What the layers below have, all models of an architecture share.
        zipBytes: layers.at(-1)?.size ?? 0,
        image: {
          base: referenceText(base),
          identity: imageIdentity(base.digest, parts),
          layers: layers.map(({ name: layer, diffId, size }) => ({ name: layer, diffId, bytes: size })),
        },
        notices: [...facts.notices, ...(notice === undefined ? [] : [notice])],
      },
      image: { model: name, architecture, base: referenceText(base), layers, config: parts.configOf(NODE) },
    };
  };
