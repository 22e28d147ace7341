import { CARD_TEXT, type CardSource } from './contract.ts';

/** What is wrong with a card: plain data, which the build side makes problems of. */
export type CardFault = {
  /** Others say something else; a metric is too low or not known; the training data are other ones. */
  readonly kind: 'conflict' | 'metric' | 'dataset';
  /** Below the card, for example `metrics.auc.value`. */
  readonly key: string;
  readonly value?: unknown;
  readonly message: string;
  readonly fix: string;
};

/** A value, and one who says it. */
export type Said<T = string> = { readonly value: T; readonly from: CardSource };

export const SAYS: Readonly<Record<CardSource, string>> = {
  card: 'the card',
  file: 'the file',
  mlflow: 'MLflow',
  sagemaker: 'SageMaker’s registry',
  huggingface: 'Hugging Face',
  artifact: 'the artifact',
};

/** What a registry says is of any length. */
const short = (value: unknown): string => {
  const text = String(value);
  return text.length > CARD_TEXT ? `${text.slice(0, CARD_TEXT)}…` : text;
};

export function conflict(key: string, one: Said<unknown>, other: Said<unknown>): CardFault {
  return {
    kind: 'conflict',
    key,
    value: one.value,
    message: `is ${short(one.value)} by ${SAYS[one.from]}, and ${short(other.value)} by ${SAYS[other.from]}.`,
    fix:
      one.from === 'card'
        ? `Write \`${key}\` as ${SAYS[other.from]} has it, leave it out, or correct it there.`
        : 'Correct one of them where it is kept: which one is right cannot be told from here.',
  };
}
