import type {
  Deployment,
  PromotedFrom,
  VersionImage,
} from '../../../../core/release/document/history-contract.ts';
import { type AliasProperties, RESOURCE_TYPE } from '../../../../core/release/document/worker-contract.ts';
import { type Host, nameOf } from '../../contracts/host.ts';
import type { Model } from '../../declaration/model.ts';
import { ALIAS, aliasLogicalId } from '../../declaration/naming.ts';

/** What a template offers of each model, read back from its alias, and the marks that ask for it again. */

/**
 * What the template offers of each model, read back from its alias: literals, also where a package made
 * earlier is deployed.
 */
export function offersIn(
  models: readonly Model[],
  resources: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): Deployment['models'] {
  return models.flatMap(({ name }) => {
    const properties = resources[aliasLogicalId(name)]?.Properties as Partial<AliasProperties> | undefined;
    if (properties === undefined) return [];
    const { Identity = '', Source = '', Layer = '', Fingerprint = '', Promoted } = properties;
    const promoted = Promoted === undefined ? undefined : (JSON.parse(Promoted) as PromotedFrom);
    return [
      {
        model: name,
        identity: Identity,
        source: Source,
        layer: Layer,
        fingerprint: Fingerprint,
        ...(promoted && { promoted }),
      },
    ];
  });
}

/** The image that the template’s version of each model runs from, by model; none of a zip. */
export const imagesIn = (
  models: readonly Model[],
  resources: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): ReadonlyMap<string, VersionImage> =>
  new Map(
    models.flatMap(({ name }) => {
      const { Image } = (resources[aliasLogicalId(name)]?.Properties ?? {}) as Partial<AliasProperties>;
      return Image === undefined ? [] : [[name, JSON.parse(Image) as VersionImage] as const];
    }),
  );

/**
 * The aliases of these models with a mark by which CloudFormation asks for them, although nothing of them has
 * changed.
 */
export function askedAgain(
  resources: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  models: readonly string[],
  mark: string,
): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  return Object.fromEntries(
    models.flatMap((model) => {
      const id = aliasLogicalId(model);
      const alias = resources[id];
      const properties = alias?.Properties as Partial<AliasProperties> | undefined;
      return alias === undefined ? [] : [[id, { ...alias, Properties: { ...properties, Again: mark } }]];
    }),
  );
}

/**
 * All aliases with the mark of this deploy's `--force`, or without one: a package may be of an earlier
 * deploy, which was forced or not.
 *
 * @param mark ISO 8601; undefined: nothing is forced
 */
export function markedForced(
  resources: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  mark: string | undefined,
): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  return Object.fromEntries(
    Object.entries(resources).flatMap(([id, resource]) => {
      if (resource.Type !== RESOURCE_TYPE) return [];
      const { Forced: _, ...properties } = resource.Properties as Readonly<Record<string, unknown>>;
      return [
        [id, { ...resource, Properties: { ...properties, ...(mark !== undefined && { Forced: mark }) } }],
      ];
    }),
  );
}

/** All models' aliases, for whoever ticks their releases. */
export const releaseTargets = (
  models: readonly Model[],
  host: Host,
): readonly { readonly model: string; readonly functionName: string; readonly alias: string }[] =>
  models.map((model) => ({ model: model.name, functionName: nameOf(model, host), alias: ALIAS }));
