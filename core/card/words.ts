import { isTraining } from '../origin/origin.ts';
import type { CardDataset, CardMetric, ModelCard, Sourced } from './contract.ts';
import { SAYS } from './faults.ts';

/** Stands for a value that nobody knows. */
export const NOT_KNOWN = 'not known';

/** `card, MLflow`; a plugin that is newer may know others who say something. */
export const sourcesOf = ({ from }: Sourced<unknown>): string =>
  from.map((one) => (Object.hasOwn(SAYS, one) ? SAYS[one].replace(/^the /, '') : one)).join(', ');

/** `churn-2026-11`; a file without a name is called by its path. */
export const datasetName = ({ name, file, sha256 }: CardDataset): string =>
  name?.value ?? file ?? (sha256 === undefined ? NOT_KNOWN : `sha256 ${sha256.value.slice(0, 12)}`);

/** `auc 0.91 on churn-2026-11` */
const metricText = ({ name, value, on }: CardMetric): string =>
  `${name} ${value?.value ?? NOT_KNOWN}${on === undefined ? '' : ` on ${on.value}`}`;

/**
 * The data that it was trained on, with our hash of them: a line for people. Where none are known, others
 * with what they were used for.
 */
export function trainingLine({ datasets }: ModelCard): string {
  const training =
    datasets.find((dataset) => isTraining(dataset) || dataset.sha256 !== undefined) ?? datasets[0];
  if (training === undefined) return NOT_KNOWN;
  const { context, sha256 } = training;
  const use = context === undefined || isTraining(training) ? '' : ` (${context})`;
  const digest =
    sha256 === undefined ? `sha256 ${NOT_KNOWN}` : `sha256 ${sha256.value} (${sourcesOf(sha256)})`;
  return `${datasetName(training)}${use}, ${digest}`;
}

/** A line each of what is known, for people: label and text. */
export function cardLines(card: ModelCard): readonly (readonly [string, string])[] {
  const texts = (['task', 'licence', 'base', 'owner'] as const).flatMap((key) => {
    const found = card[key];
    return found === undefined ? [] : [[key, `${found.value} (${sourcesOf(found)})`] as const];
  });
  return [
    ...texts,
    ...(card.datasets.length === 0 ? [] : [['data', trainingLine(card)] as const]),
    ...card.metrics.map(
      (metric) =>
        [
          'metric',
          `${metricText(metric)}${metric.value === undefined ? '' : ` (${sourcesOf(metric.value)})`}${metric.min === undefined ? '' : `, at least ${metric.min}`}`,
        ] as const,
    ),
  ];
}
