import { isMalformed } from '../../../core/registry/document.ts';
import type { Registry } from '../../../core/registry/port.ts';
import type { Service } from '../context/context.ts';
import type { PlanInput } from '../contracts/input.ts';
import { ALIAS, lambdaName } from '../declaration/naming.ts';
import { releaseTargets } from '../plan/release/offers.ts';
import type { Sight } from './read-status.ts';
import type { FollowedModel } from './worker/follow.ts';

/**
 * Where a model is served: as declared; where the declaration does not tell, or names a function that is not
 * deployed, as the release document says.
 *
 * @throws Malformed where the document is damaged
 */
export async function aliasTarget(
  model: string,
  { models, host }: Pick<PlanInput, 'models' | 'host'>,
  { name, stage }: Pick<Service, 'name' | 'stage'>,
  documents: Pick<Registry, 'release'>,
  exists: Sight['exists'],
): Promise<FollowedModel> {
  const [declared] = releaseTargets(
    models.filter((one) => one.name === model),
    host,
  );
  const core = await documents.release(model).then(
    (found) => found?.core,
    (error: unknown) => {
      if (isMalformed(error)) throw error;
      // Who may only invoke the worker can do so; whoever needs the document meets the same error.
      return undefined;
    },
  );
  if (core === undefined)
    return declared ?? { model, functionName: lambdaName(name, stage, model), alias: ALIAS };
  const { functionName, alias } = core;
  if (declared === undefined) return { model, functionName, alias };
  if (declared.functionName === functionName) return declared;
  return (await exists(declared.functionName).catch(() => true)) ? declared : { model, functionName, alias };
}
