import { readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';
import type { registry } from '../core/registry/registry.ts';
import type { receive } from '../core/release/receive.ts';
import type { Resources } from '../plugins/models/contracts/feature.ts';
import type { Endpoint, ReleaseInput } from '../plugins/models/contracts/input.ts';
import type { releaseFunctions } from '../plugins/models/plan/release/functions.ts';

/** A version of the plugin, as far as it makes the stack of releases. */
export type Edition = {
  /** Source of the release worker. */
  readonly worker: string;
  readonly releaseFunctions: typeof releaseFunctions;
  readonly releaseResources: (
    input: ReleaseInput,
    endpoints: readonly Endpoint[],
  ) => { readonly resources: Resources };
  readonly receive: typeof receive;
  readonly registry: typeof registry;
};

/** As `make.ts` beside it has written. */
const kept = (name: string): string =>
  brotliDecompressSync(
    readFileSync(new URL(`./fixtures/version-before/${name}.mjs.br`, import.meta.url)),
  ).toString();

/** The version of the plugin before this one: what is deployed already was made by it. */
export async function versionBefore(): Promise<Edition> {
  const pure = await import(`data:text/javascript,${encodeURIComponent(kept('pure'))}`);
  return { worker: kept('worker'), ...pure };
}
