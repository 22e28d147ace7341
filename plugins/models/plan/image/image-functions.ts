import { isObject } from '../../../../core/json/is-object.ts';
import type { VersionImage } from '../../../../core/release/document/history-contract.ts';
import type { Json } from '../../contracts/cloudformation.ts';
import type { Compiled } from '../../contracts/feature.ts';
import type { Host } from '../../contracts/host.ts';
import type { Endpoint } from '../../contracts/input.ts';
import { versionImage } from './version-image.ts';

/**
 * The functions that run from an image, and their versions, as the framework cannot say them: it takes an
 * image by its digest, which nobody knows before the deploy has fetched the base, or asks ECR for it. So it
 * gets a digest in that place, and here is the tag.
 */
export function imageFunctions(endpoints: readonly Endpoint[], host: Host, compiled: Compiled): Compiled {
  return Object.fromEntries(
    endpoints.flatMap((endpoint) => {
      const image = versionImage(endpoint, host);
      if (image === undefined) return [];
      return [endpoint, ...(endpoint.batch === undefined ? [] : [endpoint.batch])].flatMap((one) => [
        ...changed(compiled, one.functionLogicalId, ({ Layers: _, ...rest }) => ({
          ...rest,
          Code: { ImageUri: uriOf(image) },
        })),
        // The digest that is none.
        ...changed(compiled, one.versionLogicalId, ({ CodeSha256: _, ...rest }) => rest),
      ]);
    }),
  );
}

/** Lambda takes images of ECR in its own region. */
const uriOf = ({ repository, tag }: VersionImage): Json => ({
  'Fn::Sub': `\${AWS::AccountId}.dkr.ecr.\${AWS::Region}.\${AWS::URLSuffix}/${repository}:${tag}`,
});

function changed(
  compiled: Compiled,
  id: string,
  change: (properties: Json) => Json,
): readonly [string, Json][] {
  const resource = compiled[id];
  if (resource === undefined) return [];
  const { Properties: properties } = resource;
  return [[id, { ...resource, Properties: change(isObject(properties) ? properties : {}) }]];
}
