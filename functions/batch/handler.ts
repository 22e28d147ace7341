import type { Manifest } from '../infer/contract.ts';
import type { AnyTransform } from '../infer/transform.ts';
import type { BatchManifest } from './contract.ts';

/** What Lambda calls. */
export type Handler = (event: unknown, context?: unknown) => Promise<unknown>;

/** Stands in until the handler itself is merged: the generated entry is written against this signature. */
export async function createBatch(
  manifest: Manifest,
  _batch: BatchManifest,
  _transform: AnyTransform = {},
): Promise<Handler> {
  throw new Error(`the batch function of ${manifest.model} is not here yet`);
}
