import type { Entry, Owner } from '../../../core/batch/contract.ts';
import {
  isSameOwner,
  ownerKey,
  ownerName,
  ownerText,
  readOwner,
  takeOwner,
} from '../../../core/batch/owner.ts';
import { errorName, errorStatus, isElsewhere, messageOf } from '../../../core/errors/aws-errors.ts';
import type { Files } from '../../../core/ports/files.ts';
import type { Model } from '../declaration/model.ts';
import type { Problem } from '../problems/errors.ts';

/** Each output of batch belongs to one service and stage: who deploys to it, and who takes it over. */

type Reach = { readonly files: (bucket: string) => Pick<Files, 'read' | 'create' | 'replace'> };

/** What stands between a deploy and its outputs: problems, and lines where that could not be looked at. */
export type Owners = { readonly problems: readonly Problem[]; readonly lines: readonly string[] };

/**
 * Before anything is uploaded: outputs that belong to another service or stage. Nothing is taken yet, since
 * the deploy may fail.
 */
export const ownersBefore = (models: readonly Model[], reach: Reach, us: Owner): Promise<Owners> =>
  ofOutputs(
    models,
    async (model, entry) => {
      const found = await readOwner(reach.files(entry.output.bucket), ownerKey(model, entry));
      return found?.owner ?? us;
    },
    us,
  );

/**
 * Owners at its end: what nobody owns is taken. A bucket that is still not there is told: the stack has made
 * its own by now.
 */
export const ownersAfter = (models: readonly Model[], reach: Reach, us: Owner): Promise<Owners> =>
  ofOutputs(
    models,
    (model, entry) => takeOwner(reach.files(entry.output.bucket), ownerKey(model, entry), us),
    us,
    true,
  );

async function ofOutputs(
  models: readonly Model[],
  ownerOf: (model: string, entry: Entry) => Promise<Owner>,
  us: Owner,
  isOver = false,
): Promise<Owners> {
  const problems: Problem[] = [];
  const lines: string[] = [];
  for (const { name, batch } of models)
    for (const [index, entry] of outputsOf(batch?.entries ?? [])) {
      const url = outputUrl(entry);
      try {
        const owner = await ownerOf(name, entry);
        if (!isSameOwner(owner, us)) problems.push(taken(name, index, url, owner, us));
      } catch (error) {
        if (errorName(error) === 'NoSuchBucket') {
          if (isOver) lines.push(absent(outputKey(name, index), entry.output.bucket));
          continue;
        }
        if (isElsewhere(error)) {
          problems.push(elsewhere(name, index, url, us));
          continue;
        }
        // It was told before.
        if (isOver) continue;
        const why =
          errorStatus(error) === undefined ? messageOf(error) : `${errorName(error)}: ${messageOf(error)}`;
        lines.push(
          `${name}: whether ${url} belongs to another service or stage cannot be told (${why}); its first job looks, and moves no \`latest\` that is not its own.`,
        );
      }
    }
  return { problems, lines };
}

const outputKey = (model: string, index: number): string => `models.${model}.batch[${index}].output`;

const absent = (key: string, bucket: string): string =>
  `${key}: there is no bucket ${bucket}, so each job fails. Make it, correct its name, or write \`create: output\` beside it, and the stack makes it.`;

/** The first entry of each output, with its number. */
function outputsOf(entries: readonly Entry[]): readonly (readonly [number, Entry])[] {
  const seen = new Set<string>();
  return [...entries.entries()].filter(([, entry]) => {
    const url = outputUrl(entry);
    return seen.has(url) ? false : seen.add(url);
  });
}

const outputUrl = ({ output }: Pick<Entry, 'output'>): string => `s3://${output.bucket}/${output.prefix}`;

const taken = (model: string, index: number, url: string, owner: Owner, us: Owner): Problem => ({
  code: 'MODELS_BATCH_OWNER',
  key: outputKey(model, index),
  value: url,
  message: `belongs to ${ownerName(owner)}: two that write there would overwrite each other’s \`latest\`.`,
  fix: `Write an output for each stage, for example ${url}\${sls:stage}/. To take this one over: \`sls models batch --model ${model} --adopt --stage ${us.stage}\`.`,
});

const elsewhere = (model: string, index: number, url: string, { region }: Owner): Problem => ({
  code: 'MODELS_BATCH',
  key: outputKey(model, index),
  value: url,
  message: `its bucket is in another region than ${region}, where the function that writes there runs.`,
  fix: `Name a bucket in ${region}.`,
});

/**
 * Takes the outputs of a model over, whoever owns them.
 *
 * @returns a line for each
 * @throws where somebody else takes one over at the same time
 */
export async function adopt(
  model: string,
  entries: readonly Entry[],
  reach: Reach,
  us: Owner,
): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const [, entry] of outputsOf(entries)) {
    const [files, key, url] = [reach.files(entry.output.bucket), ownerKey(model, entry), outputUrl(entry)];
    const found = await readOwner(files, key);
    if (found !== undefined && isSameOwner(found.owner, us)) {
      lines.push(`${url} belongs to ${ownerName(us)} already.`);
      continue;
    }
    if ((await files.replace(key, ownerText(us), found?.etag)) === 'changed')
      throw new Error(`somebody else takes over ${url} at the same time`);
    const before = found === undefined ? 'nobody' : ownerName(found.owner);
    lines.push(`${url} belongs to ${ownerName(us)} from now on; before, to ${before}.`);
  }
  return lines;
}
