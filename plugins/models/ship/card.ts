import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { CardMetric, ModelCard } from '../../../core/card/contract.ts';
import type { CardFault } from '../../../core/card/faults.ts';
import { mergeCard } from '../../../core/card/merge.ts';
import { metricsNotKnown } from '../../../core/card/metrics.ts';
import type { ReadArtifact } from '../artifact/read.ts';
import type { ShipContext } from '../contracts/ship-context.ts';
import { floorOf } from '../declaration/gate-floor.ts';
import type { Model } from '../declaration/model.ts';
import { knownSha256 } from '../disk/known.ts';
import { look } from '../disk/look.ts';
import { type Problem, problemError, throwProblems } from '../problems/errors.ts';

const CODES = {
  conflict: 'MODELS_CARD_CONFLICT',
  metric: 'MODELS_CARD_METRIC',
  dataset: 'MODELS_CARD_DATASET',
} as const;

/**
 * What the declaration says of a model, with what its artifact and that one’s source say. The dataset file is
 * hashed, of any size, and again only where it changed.
 *
 * @throws ProblemError `MODELS_CARD_CONFLICT`, `_DATASET`, `_METRIC`
 */
export async function shipCard(
  model: Model,
  { origin, info }: Pick<ReadArtifact, 'origin' | 'info'>,
  context: Pick<ShipContext, 'serviceDir' | 'progress'>,
): Promise<ModelCard> {
  const { name, gate, card: given = {} } = model;
  const file = given.dataset?.file;
  const data =
    file === undefined ? undefined : await hashed(`models.${name}.card.dataset.file`, file, context);
  const { card, faults } = mergeCard(given, { origin, data, artifact: info });
  throwProblems([
    ...faults.map((fault) => problemOf(name, fault)),
    // What the gate measures, and holds to this `min`, need not be known before.
    ...metricsNotKnown(card)
      .filter(({ name }) => name !== gate?.metric?.name || floorOf(gate, given) === undefined)
      .map((metric) => notKnown(name, metric)),
  ]);
  return card;
}

const problemOf = (model: string, { kind, key, ...fault }: CardFault): Problem => ({
  code: CODES[kind],
  key: `models.${model}.card.${key}`,
  ...fault,
});

const notKnown = (model: string, { name, min, on }: CardMetric): Problem => ({
  code: 'MODELS_CARD_METRIC',
  key: `models.${model}.card.metrics.${name}.min`,
  value: min,
  message: `is ${min}, and nobody knows ${name}${on === undefined ? '' : ` on ${on.value}`}: neither the card nor the source of the artifact has a value.`,
  fix: 'Write its `value`, log it with the version where the artifact comes from, or let `gate.metric` measure it.',
});

async function hashed(
  key: string,
  file: string,
  { serviceDir, progress }: Pick<ShipContext, 'serviceDir' | 'progress'>,
): Promise<{ readonly sha256: string; readonly bytes: number }> {
  const path = resolve(serviceDir, file);
  const refuse = (message: string, fix: string): Error =>
    problemError([{ code: 'MODELS_CARD_DATASET', key, value: file, message, fix }]);
  const there = await stat(path).catch(() => undefined);
  if (!there?.isFile())
    throw refuse(
      there === undefined ? `${file} does not exist.` : `${file} is no file.`,
      'Write the path of one file, relative to serverless.yml, or the `name` of the data.',
    );
  progress(`Hashing ${file} (${Math.ceil(there.size / 1e6)} MB)`);
  try {
    const { sha256, bytes, mark } = await knownSha256(path);
    if ((await look(path)).mark !== mark)
      throw refuse(`${file} was changed while it was read.`, 'Retry once nothing writes to it.');
    return { sha256, bytes };
  } finally {
    progress(undefined);
  }
}
