import type { ArtifactOrigin, OriginDataset } from '../origin/contract.ts';
import { isTraining } from '../origin/origin.ts';
import type { CardDataset, CardSource, DeclaredCard } from './contract.ts';
import { type CardFault, conflict } from './faults.ts';

/** What MLflow calls data that nobody gave a name: it contradicts none. */
const UNNAMED = 'dataset';

/** The declared training data first, with what the source and our hash of the file say of them. */
export function mergedDatasets(
  given: DeclaredCard['dataset'],
  origin: ArtifactOrigin | undefined,
  data: { readonly sha256: string; readonly bytes: number } | undefined,
  faults: CardFault[],
): readonly CardDataset[] {
  const theirs = origin?.datasets ?? [];
  const from = origin?.from ?? 'mlflow';
  const training = trainingOf(theirs);
  if (given === undefined) {
    const others = theirs.filter((one) => !training.includes(one));
    return [...training, ...others].map((one) => theirDataset(one, from));
  }
  const [only, second] = training;
  const found =
    given.name === undefined
      ? second === undefined
        ? only
        : undefined
      : (training.find(({ name }) => name === given.name) ??
        (second === undefined && only?.name === UNNAMED ? only : undefined));
  if (given.name !== undefined && found === undefined && training.length > 0)
    faults.push(
      conflict(
        'dataset.name',
        { value: given.name, from: 'card' },
        { value: training.map(({ name }) => name).join(', '), from },
      ),
    );
  const own = {
    ...(found && theirDataset(found, from)),
    ...(given.name !== undefined && {
      name: {
        value: given.name,
        from: found?.name === given.name ? (['card', from] as const) : (['card'] as const),
      },
    }),
    ...(given.file !== undefined && { file: given.file }),
    ...(data && { bytes: data.bytes }),
    ...digestOf(given, data, faults),
  };
  return [own, ...theirs.filter((one) => one !== found).map((one) => theirDataset(one, from))];
}

/** Those that the run calls so, or all where it calls none anything. */
function trainingOf(datasets: readonly OriginDataset[]): readonly OriginDataset[] {
  const training = datasets.filter(isTraining);
  return training.length > 0 || datasets.some(({ context }) => context !== undefined) ? training : datasets;
}

const theirDataset = ({ name, context, digest }: OriginDataset, from: CardSource): CardDataset => ({
  name: { value: name, from: [from] },
  ...(context !== undefined && { context }),
  ...(digest !== undefined && { digest }),
});

function digestOf(
  { file, sha256 }: NonNullable<DeclaredCard['dataset']>,
  data: { readonly sha256: string } | undefined,
  faults: CardFault[],
): Pick<CardDataset, 'sha256'> {
  if (data === undefined) return sha256 === undefined ? {} : { sha256: { value: sha256, from: ['card'] } };
  if (sha256 === undefined) return { sha256: { value: data.sha256, from: ['file'] } };
  if (sha256 === data.sha256) return { sha256: { value: sha256, from: ['card', 'file'] } };
  faults.push({
    kind: 'dataset',
    key: 'dataset.file',
    value: file,
    message: `has the sha256 ${data.sha256}, and \`sha256\` of the card is ${sha256}: the dataset file changed.`,
    fix: 'Put back the file that the model was trained on; if it was trained on this one, write its sha256.',
  });
  return { sha256: { value: data.sha256, from: ['file'] } };
}
