import type { AliasPort, AliasState } from '../../core/ports/aws.ts';
import { type Chaos, calm } from './chaos.ts';

/** Lambda's functions with their published versions and aliases, in memory. */
export function fakeAliases(chaos: Chaos = calm) {
  const versions = new Map<string, Set<string>>();
  const aliases = new Map<string, AliasState>();
  const history: { readonly key: string; readonly to: AliasState }[] = [];
  let revisions = 0;
  const key = (functionName: string, alias: string): string => `${functionName}:${alias}`;
  const set = (at: string, to: Omit<AliasState, 'revision'>): void => {
    revisions += 1;
    const { version, weights, description } = to;
    const state = { version, weights: { ...weights }, description, revision: `r${revisions}` };
    aliases.set(at, state);
    history.push({ key: at, to: state });
  };
  const refuses = { weights: false };
  const missing = (functionName: string, to: Omit<AliasState, 'revision'>): string | undefined => {
    if (refuses.weights && Object.keys(to.weights).length > 0) return 'weights are not supported';
    const known = versions.get(functionName);
    if (known === undefined) return `Function not found: ${functionName}`;
    const version = [to.version, ...Object.keys(to.weights)].find((asked) => !known.has(asked));
    return version === undefined ? undefined : `Function not found: ${functionName}:${version}`;
  };

  const port: AliasPort = {
    get: async (functionName, alias) => {
      await chaos('before get alias');
      return aliases.get(key(functionName, alias));
    },
    create: async (functionName, alias, to) => {
      await chaos('before create alias');
      const refused = missing(functionName, to);
      if (refused !== undefined) return { refused };
      if (aliases.has(key(functionName, alias))) return 'changed';
      set(key(functionName, alias), to);
      await chaos('after create alias');
      return 'ok';
    },
    update: async (functionName, alias, to, revision) => {
      await chaos('before update alias');
      const found = aliases.get(key(functionName, alias));
      const refused = missing(functionName, to);
      if (refused !== undefined) return { refused };
      if (found?.revision !== revision) return 'changed';
      set(key(functionName, alias), to);
      await chaos('after update alias');
      return 'ok';
    },
    remove: async (functionName, alias) => {
      await chaos('before delete alias');
      aliases.delete(key(functionName, alias));
      await chaos('after delete alias');
    },
  };
  return {
    port,
    /** Every state that an alias was in. */
    history,
    publish: (functionName: string, version: string): void => {
      versions.set(functionName, (versions.get(functionName) ?? new Set()).add(version));
    },
    unpublish: (functionName: string, version: string): void => {
      versions.get(functionName)?.delete(version);
    },
    /** Some endpoints take no weights. */
    refuses,
    published: (functionName: string): ReadonlySet<string> => versions.get(functionName) ?? new Set(),
    needs: (functionName: string, version: string): boolean =>
      [...aliases].some(
        ([at, to]) =>
          at.startsWith(`${functionName}:`) && (to.version === version || to.weights[version] !== undefined),
      ),
    /** Manually, past the worker; undefined deletes. */
    byHand: (
      functionName: string,
      alias: string,
      to: { version: string; weights: Record<string, number> } | undefined,
    ): void => {
      if (to === undefined) aliases.delete(key(functionName, alias));
      else set(key(functionName, alias), { ...to, description: 'manually' });
    },
    at: (functionName: string, alias: string): AliasState | undefined =>
      aliases.get(key(functionName, alias)),
  };
}
