import { isNoStack } from '../../../aws/stack.ts';
import { messageOf } from '../../../core/errors/aws-errors.ts';
import type { Release } from '../../../core/release/document/contract.ts';
import { isPending, isWatched } from '../../../core/release/state/predicates.ts';
import type { Json } from '../contracts/cloudformation.ts';
import type { Host } from '../contracts/host.ts';
import type { Model } from '../declaration/model.ts';
import { batching } from '../plan/batch/functions.ts';
import { keptPlaces } from '../plan/batch/kept-places.ts';
import { offersIn } from '../plan/release/offers.ts';

type Resources = Readonly<Record<string, Json>>;

/**
 * What a deploy keeps in the roles of batch, by what is deployed and live.
 *
 * @param before the releases that are there, by model
 * @param deployed reads the resources of the deployed template
 * @param now milliseconds since the epoch
 */
export async function keepPlaces(
  { models, host }: { readonly models: readonly Model[]; readonly host: Host },
  resources: Resources,
  before: ReadonlyMap<string, Release>,
  deployed: () => Promise<Resources>,
  now: number,
): Promise<ReturnType<typeof keptPlaces>> {
  const all = batching(models);
  const none = { resources: {}, lines: [] };
  if (all.length === 0) return none;
  try {
    const found = await deployed();
    const offers = new Map(offersIn(models, found).map(({ model, fingerprint }) => [model, fingerprint]));
    return keptPlaces(all, host, resources, found, (model) => {
      const release = before.get(model);
      return (
        release !== undefined &&
        !isPending(release) &&
        // Until then the version before may come back.
        !isWatched(release, now) &&
        release.stable?.fingerprint === offers.get(model)
      );
    });
  } catch (error) {
    if (isNoStack(error)) return none;
    const line = `What is deployed of batch cannot be read (${messageOf(error)}). Where \`input\` or \`output\` changes, jobs of the version before fail.`;
    return { ...none, lines: [line] };
  }
}
