import { readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';
import type { releaseFunctions, releaseResources } from '../../plugins/models/plan/alias.ts';

/** A version of the plugin, as far as it makes the stack of releases: the worker's source, and the plan. */
export type Edition = {
  readonly worker: string;
  readonly releaseFunctions: typeof releaseFunctions;
  readonly releaseResources: typeof releaseResources;
};

/** As `make.ts` beside it has written. */
const kept = (name: string): string =>
  brotliDecompressSync(
    readFileSync(new URL(`../fixtures/version-before/${name}.mjs.br`, import.meta.url)),
  ).toString();

/** The version of the plugin before this one: what is deployed already was made by it. */
export async function versionBefore(): Promise<Edition> {
  const plan = kept('plan');
  return { worker: kept('worker'), ...(await import(`data:text/javascript,${encodeURIComponent(plan)}`)) };
}
