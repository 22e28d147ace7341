import type { VersionPort } from '../../core/ports/aws.ts';
import type { fakeAliases } from './aliases.ts';
import { type Chaos, calm } from './chaos.ts';

/** The published versions behind `fakeAliases`; one that an alias needs cannot be deleted. */
export function fakeVersions(aliases: ReturnType<typeof fakeAliases>, chaos: Chaos = calm): VersionPort {
  return {
    list: async (functionName) => {
      await chaos('before list versions');
      return [...aliases.published(functionName)];
    },
    digests: async (functionName) => {
      await chaos('before digests of versions');
      return new Map(
        [...aliases.published(functionName)].map((version) => [
          version,
          `sha256:${version.padStart(64, '0')}`,
        ]),
      );
    },
    remove: async (functionName, version) => {
      await chaos('before delete version');
      if (aliases.needs(functionName, version)) throw new Error(`version ${version} is used by an alias`);
      aliases.unpublish(functionName, version);
      await chaos('after delete version');
    },
  };
}
