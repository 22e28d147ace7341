import { boundedOrigin } from '../origin/origin.ts';
import { plainText } from '../text/plain.ts';
import {
  CARD_METRICS,
  CARD_TEXT,
  type CardDocument,
  type ModelCard,
  type OpenCard,
  type Sourced,
} from './contract.ts';

/** Datasets of a card; an experiment may have had any number. */
const DATASETS = 10;

/** What a registry says is of any length. */
const plain = (text: string): string => {
  const line = plainText(text);
  return line.length > CARD_TEXT ? `${line.slice(0, CARD_TEXT - 1)}…` : line;
};

/** The same, each text one line that fits into a table. */
export function boundedCard(card: ModelCard): ModelCard {
  const said = (known: Sourced<string> | undefined): Sourced<string> | undefined =>
    known && { ...known, value: plain(known.value) };
  const texts = Object.fromEntries(
    (['task', 'licence', 'base', 'owner'] as const).flatMap((key) => {
      const found = said(card[key]);
      return found === undefined ? [] : [[key, found]];
    }),
  );
  return {
    ...texts,
    datasets: card.datasets.slice(0, DATASETS).map(({ name, context, digest, ...rest }) => ({
      ...(name && { name: { ...name, value: plain(name.value) } }),
      ...rest,
      ...(context !== undefined && { context: plain(context) }),
      ...(digest !== undefined && { digest: plain(digest) }),
    })),
    metrics: card.metrics.slice(0, CARD_METRICS).map(({ name, on, ...rest }) => ({
      name: plain(name),
      ...rest,
      ...(on && { on: { ...on, value: plain(on.value) } }),
    })),
  };
}

/** What may be read by whoever may ask the model: no address, account, path or colleague of ours. */
export function openCard({
  origin,
  card,
  inputs: _,
  outputs: __,
  // Where a certificate says who signed, it is a person's address.
  signedBy: ___,
  ...rest
}: CardDocument): OpenCard {
  const datasets = card.datasets.map(({ file, ...dataset }) => dataset);
  const document = { ...rest, card: { ...card, datasets } };
  if (origin === undefined) return document;
  const { at, by, approval, measured, run, ...known } = boundedOrigin({ ...origin, at: '' });
  // That of SageMaker is an ARN, which has the account in it.
  return { ...document, origin: { ...known, ...(run && !run.startsWith('arn:') && { run }) } };
}
