import { readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { keptBench } from '../advise/kept-bench.ts';
import { type Command, type Context, modelOf, usage } from '../context/context.ts';
import type { Model } from '../declaration/model.ts';
import { mayWriteSealed, writeSealed } from '../disk/sealed.ts';
import { withSlashes } from '../disk/slashes.ts';
import { areOf } from '../export/earlier.ts';
import { EXPORT_OPTIONS, type ExportOptions, exportOptions } from '../export/export-options.ts';
import { besideFiles, exported, exportProblems, nextStep, TEMPLATE } from '../export/exported.ts';
import { manifestFault } from '../export/sagemaker/image.ts';
import { auditWords, exportedName, leftOnLambda, preloadWords } from '../export/shared/given.ts';
import { type ImageDigest, imageAt } from '../export/shared/image-digest.ts';
import { workerMemory } from '../export/shared/worker-memory.ts';
import { throwProblems } from '../problems/errors.ts';
import { IMAGE_ARCHITECTURES } from '../ship/oci/documents.ts';
import { referenceText } from '../ship/oci/reference.ts';

/** `sls models export`: files that another host takes a model by. Changes nothing but these files. */
export const command: Command = {
  usage: 'Write the files that run a model on Kubernetes or SageMaker, from its image',
  options: EXPORT_OPTIONS,
  run: async (context) => {
    const { flags, notice, options, plan, print, progress, service } = context;
    const model = modelOf(context);
    const asked = exportOptions(flags);
    progress(`Looking for what was measured of ${model.name}`);
    const facts = (await context.facts([model])).get(model.name);
    if (facts === undefined) throw new Error(`Nothing is known of ${model.name}.`);
    const memory = workerMemory(model, facts, await keptBench(model, context, undefined, facts));
    progress(undefined);
    const before = {
      ...{ model, memory, cpu: asked.cpu, grpc: asked.grpc, alerts: options.alerts },
      host: { ...plan.host, service: service.name },
    };
    const shown = typeof flags.output === 'string' ? flags.output : join(asked.to, model.name);
    const folder = resolve(service.dir, shown);
    const by = `sls models export --to ${asked.to}`;
    const sealed = {
      by: `${by} for ${exportedName(before)}`,
      formerly: { by, areThese: (texts: readonly string[]) => areOf(exportedName(before), texts) },
      key: '--output',
      overwrite: flags.overwrite === true,
    };
    // Before anything is sent to a registry. Their names are the same for each image.
    throwProblems(exportProblems(before, asked));
    const unmade = { ...before, image: imageAt(asked.image, `sha256:${'0'.repeat(64)}`) };
    await mayWriteSealed(folder, Object.keys(exported(unmade, asked)), sealed);
    const image = asked.push ? await made(asked, context) : await pinned(asked, model, context);
    const given = { ...before, image };
    const files = exported(given, asked);
    const earlier = await readFile(join(folder, TEMPLATE), 'utf8').catch(() => '');
    const outcome = await writeSealed(folder, files, sealed);
    const written = Object.entries(outcome).map(([name, became]) => ({
      path: withSlashes(relative(service.dir, join(folder, name))),
      became,
    }));
    const then = nextStep(asked.to, withSlashes(relative(service.dir, folder)) || '.', given);
    const removed = Object.keys(outcome).filter((name) => outcome[name] === 'removed');
    const beside = besideFiles(asked.to, removed, given, earlier);
    if (flags.json) {
      const told = { to: asked.to, image: image.reference, memory, files: written, beside, then };
      return print(JSON.stringify(told, null, 2));
    }
    print(written.map(({ path, became }) => `${became.padEnd(9)}  ${path}`).join('\n'));
    notice(`Stays on Lambda: ${leftOnLambda(model).join('; ')}.`);
    for (const text of [...auditWords(model), ...preloadWords(given)]) notice(text);
    for (const { when, command: run } of beside) notice(`${when}: ${run}`);
    notice(`To look at what it would do: ${then}`);
  },
};

/**
 * Makes the model's image and sends it to its registry: the files are of exactly that one.
 *
 * @throws ProblemError
 */
async function made({ image: to, to: destination }: ExportOptions, context: Context): Promise<ImageDigest> {
  const { flags, notice } = context;
  const { makeImage, pushMade } = await import('../images/made.ts');
  const base = typeof flags.base === 'string' ? flags.base : undefined;
  const whole = await makeImage(modelOf(context), base, context, destination === 'sagemaker');
  const { sentBlobs, blobs } = await pushMade(whole, to, context);
  const pushed = imageAt(to, whole.image.manifest.digest);
  notice(`Pushed ${pushed.reference}, ${sentBlobs} of ${blobs} blobs.`);
  return pushed;
}

/** What of a label is shown: it is somebody else’s text. */
const NAME = /^[\w.-]{1,64}$/;

/**
 * The image by its digest: a registry is asked what a tag is now, and whether that is this model’s.
 *
 * @throws ProblemError
 */
async function pinned(
  { image, to }: ExportOptions,
  model: Pick<Model, 'name' | 'architecture'>,
  { aws, notice, progress }: Context,
): Promise<ImageDigest> {
  if (image.digest !== undefined) return imageAt(image, image.digest);
  const name = referenceText(image);
  progress(`Asking ${image.host} which image ${name} is`);
  const [{ registryFor }, { isRegistryFault }, { toldBy }] = await Promise.all([
    import('../ship/oci/login.ts'),
    import('../ship/oci/exchange.ts'),
    import('../ship/oci/title.ts'),
  ]);
  try {
    const registry = await registryFor(image, { aws });
    const manifest = await registry.getManifest(image.tag ?? '');
    const { title, architecture } = await toldBy(registry, manifest);
    if (title !== undefined && title !== model.name) {
      const other = NAME.test(title) ? `of ${title}` : 'of something else';
      throw usage(
        '--image',
        `${name} is an image ${other}, as its label tells, and the files are for ${model.name}.`,
        `Name an image of ${model.name}, or make one and send it with --push.`,
      );
    }
    const needed = IMAGE_ARCHITECTURES[model.architecture];
    if (architecture !== undefined && architecture !== needed) {
      const other = NAME.test(architecture) ? architecture : 'something else';
      throw usage(
        '--image',
        `${name} is an image for ${other}, and ${model.name} is for ${needed} (architecture: ${model.architecture}).`,
        `Name an image for ${needed}, or correct models.${model.name}.architecture.`,
      );
    }
    const { digest, mediaType } = manifest;
    const fault = to === 'sagemaker' ? manifestFault(name, mediaType) : undefined;
    if (fault !== undefined) throw usage('--image', fault.message, fault.fix);
    notice(`${name} is ${digest} now; the files name that.`);
    if (title === undefined) notice(`It does not tell whether it is an image of ${model.name}.`);
    return imageAt(image, digest);
  } catch (error) {
    if (!isRegistryFault(error)) throw error;
    throw usage(
      '--image',
      `${name} cannot be looked up: the registry ${error.message}.`,
      'Name the image by its digest, repository@sha256:…, for which no registry is asked.',
    );
  } finally {
    progress(undefined);
  }
}
