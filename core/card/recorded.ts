import type { ArtifactOrigin } from '../origin/contract.ts';
import type { ModelCard } from './contract.ts';
import { mergeCard } from './merge.ts';

/** The card of a recorded version: as declared, or what its registry knew; undefined where it has neither. */
export const recordedCard = (record: {
  readonly card?: ModelCard | undefined;
  readonly origin?: ArtifactOrigin | undefined;
}): ModelCard | undefined => record.card ?? (record.origin && mergeCard({}, { origin: record.origin }).card);
