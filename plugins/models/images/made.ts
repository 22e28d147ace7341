import type { Context } from '../context/context.ts';
import type { Facts, Model } from '../declaration/model.ts';
import { inFolder } from '../disk/folder.ts';
import { fetchBase } from '../ship/oci/base.ts';
import { type BaseImage, imageOf, type NamedLayer, type OciImage } from '../ship/oci/image.ts';
import { baseForSageMaker, layersOver } from '../ship/oci/over-base.ts';
import { imageIdentity, imageParts } from '../ship/oci/parts.ts';
import { openToPush, type Pushed, pushImage } from '../ship/oci/push.ts';
import { type ImageReference, readReference } from '../ship/oci/reference.ts';
import { pageScript } from '../ship/page-script.ts';
import { shipModel } from '../ship/ship.ts';

/** A model's image, whole, for whatever runs containers. */
export type MadeImage = {
  readonly image: OciImage;
  /** What it is known by, whichever zlib packed it: sha256 in hex. */
  readonly identity: string;
  readonly base: BaseImage;
  /** Ours, the lowest first. */
  readonly layers: readonly NamedLayer[];
  readonly card: NonNullable<Facts['card']>;
};

/** `plan`: a transform is loaded with the variables of its function. */
type ImageContext = Pick<Context, 'aws' | 'progress'> & {
  readonly service: Pick<Context['service'], 'name' | 'dir'>;
  readonly plan: {
    readonly host: Pick<Context['plan']['host'], 'provider'>;
  };
};

/**
 * Packages a model and lays it over its base. All of it is in the image: what a zip has no room for lies
 * beside the handler, where it is looked for first.
 *
 * @param given value of `--base`, which goes before what is declared
 * @param forSageMaker has a manifest of Docker’s, whatever the base has
 * @throws ProblemError
 */
export async function makeImage(
  model: Model,
  given: string | undefined,
  { aws, plan, progress, service }: ImageContext,
  forSageMaker = false,
): Promise<MadeImage> {
  const { environment } = plan.host.provider;
  const key = given === undefined && model.package === 'image' ? `models.${model.name}.image.base` : '--base';
  // First: what is most often wrong, and told in a moment.
  const fetched = await fetchBase({
    declared: given ?? model.image?.base,
    architecture: model.architecture,
    key,
    aws,
    progress,
  });
  const base = forSageMaker ? baseForSageMaker(fetched, key) : fetched;
  const { parts, card } = await inFolder(async (outDir) => {
    progress(`Packaging the model ${model.name}`);
    const shipped = await shipModel(model, { serviceDir: service.dir, outDir, progress, environment, aws });
    const beside = shipped.facts.remote.flatMap(({ path, sha256, bytes }) => {
      const upload = shipped.uploads.find((one) => one.sha256 === sha256);
      return upload === undefined ? [] : [{ path, from: upload.from, bytes }];
    });
    const content = [...shipped.content, ...beside];
    const names = { service: service.name, page: await pageScript(), progress };
    return { parts: await imageParts(model, { ...shipped, content }, names), card: shipped.facts.card };
  });
  if (card === undefined) throw new Error(`${model.name} was packaged without a card`);
  const { layers, configOf } = parts;
  const image = imageOf({
    base,
    layers: await layersOver(base, layers),
    config: configOf(base.node.path),
  });
  return { image, identity: imageIdentity(base.digest, parts), base, layers, card };
}

/** Sends an image to a registry: what this lacks. @throws ProblemError */
export async function pushMade(
  { image, base }: MadeImage,
  to: ImageReference,
  { aws, progress }: Pick<Context, 'aws' | 'progress'>,
): Promise<Pushed> {
  const from = readReference(base.reference);
  const key = '--push';
  return pushImage(await openToPush(to, aws, key), image, to, {
    ...(to.tag !== undefined && { tags: [to.tag] }),
    ...(!('wrong' in from) && from.host === to.host && { from: from.repository }),
    key,
    progress,
  });
}
