import type { CapacityPort, Provided, Scaling } from '../../core/ports/aws.ts';
import { type Chaos, calm } from './chaos.ts';

type Held = { readonly requested: number; readonly since: number; readonly failed?: string };

/**
 * Provisioned concurrency, in memory: what versions hold, by function.
 * @param options.clock milliseconds
 * @param options.readyAfter milliseconds until what was asked for is there; what a version held before stays
 * meanwhile
 * @param options.versions those that there are; default: any
 * @param options.limits of every function; `reserved` is what its versions may hold together, else
 * `unreserved` less 100
 */
export function fakeCapacity(
  chaos: Chaos = calm,
  options: {
    readonly clock?: () => number;
    readonly readyAfter?: number;
    readonly versions?: readonly string[];
    readonly limits?: { reserved?: number; unreserved: number };
  } = {},
) {
  const clock = options.clock ?? (() => 0);
  const limits = options.limits ?? { unreserved: 1000 };
  const functions = new Map<string, Map<string, Held>>();
  const scalings = new Map<string, Scaling>();
  const of = (functionName: string): Map<string, Held> => {
    const held = functions.get(functionName) ?? new Map<string, Held>();
    functions.set(functionName, held);
    return held;
  };
  const port: CapacityPort = {
    list: async (functionName) => {
      await chaos('before list capacity');
      return [...(functions.get(functionName)?.keys() ?? [])];
    },
    release: async (functionName, qualifier) => {
      await chaos('before release capacity');
      scalings.delete(`${functionName}:${qualifier}`);
      await chaos('between scaling and capacity');
      functions.get(functionName)?.delete(qualifier);
      await chaos('after release capacity');
    },
    provide: async (functionName, version, instances) => {
      await chaos('before provide capacity');
      if (options.versions?.includes(version) === false) return { refused: `Function not found: ${version}` };
      const held = of(functionName);
      const others = [...held].reduce(
        (sum, [of, { requested }]) => sum + (of === version ? 0 : requested),
        0,
      );
      if (others + instances > (limits.reserved ?? limits.unreserved - 100))
        return { refused: `${others + instances} instances are beyond the limit` };
      if (held.get(version)?.requested !== instances)
        held.set(version, { requested: instances, since: clock() });
      await chaos('after provide capacity');
      return 'ok';
    },
    provided: async (functionName, version): Promise<Provided | undefined> => {
      await chaos('before read capacity');
      const held = functions.get(functionName)?.get(version);
      if (held === undefined) return undefined;
      const { requested, since, failed } = held;
      if (failed !== undefined) return { requested, ready: 0, state: 'failed', reason: failed };
      const isReady = clock() >= since + (options.readyAfter ?? 0);
      return { requested, ready: isReady ? requested : 0, state: isReady ? 'ready' : 'inProgress' };
    },
    scale: async (functionName, version, scaling) => {
      await chaos('before scale capacity');
      scalings.set(`${functionName}:${version}`, scaling);
      await chaos('after scale capacity');
    },
    limits: async () => {
      await chaos('before read limits');
      return limits;
    },
  };
  return {
    port,
    /** May be changed by the test. */
    limits,
    /** By `function:version`. */
    scalings,
    /** Qualifiers of a function that hold some. */
    held: (functionName: string): readonly string[] => [...(functions.get(functionName)?.keys() ?? [])],
    /** Manually, past the port: a version holds so many instances, ready; or AWS could not bring them up. */
    hold: (functionName: string, version: string, requested = 1, failed?: string): void => {
      of(functionName).set(version, {
        requested,
        since: Number.NEGATIVE_INFINITY,
        ...(failed !== undefined && { failed }),
      });
    },
  };
}
