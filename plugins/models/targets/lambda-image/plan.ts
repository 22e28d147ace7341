import { HOST_CONFIG, IMAGE_CONFIGS, IMAGE_MODULES } from '../../../../core/host/contract.ts';
import { isObject } from '../../../../core/json/is-object.ts';
import type { Json } from '../../contracts/cloudformation.ts';
import type { Host } from '../../contracts/host.ts';
import type { Built } from '../../contracts/input.ts';
import type { Room, Target } from '../../contracts/target.ts';
import type { Facts, Model, ServiceOptions } from '../../declaration/model.ts';
import { isGiven, nodePath } from '../../plan/shared/given-variables.ts';

/**
 * A container image of its own: base, ONNX Runtime, host, model. Lambda runs it, and so does whoever has it.
 */

function propertiesOf(
  model: Model,
  host: Host,
  _: ServiceOptions,
  built: Built | undefined,
  room: Room,
): Json {
  const { environment } = model.function;
  const own = {
    // The endpoint’s is in the image itself, where the service does not say another.
    ...((room === 'batch' || isGiven(HOST_CONFIG, model, host)) && { [HOST_CONFIG]: IMAGE_CONFIGS[room] }),
    ...nodePath(IMAGE_MODULES, model, host),
  };
  return {
    image: { uri: standIn(model, host, built) },
    // Else the framework would give it the provider’s.
    ...(host.provider.layers !== undefined && { layers: [] }),
    ...((environment !== undefined || Object.keys(own).length > 0) && {
      environment: { ...(isObject(environment) && environment), ...own },
    }),
  };
}

/**
 * What the framework reads in place of the image, and makes the version’s logical id of: another image is
 * another version. `plan/` puts the tag here once the fingerprint is known.
 */
const standIn = (model: Model, host: Host, built: Built | undefined): string =>
  `000000000000.dkr.ecr.${host.region}.amazonaws.com/${repositoryOf(model, host)}@sha256:${identityOf(built?.facts)}`;

const identityOf = (facts: Facts | undefined): string => facts?.image?.identity ?? '0'.repeat(64);

/** ECR takes small letters, and one sign between two words: one repository a service and stage. */
const repositoryOf = ({ image }: Model, { service, stage }: Host): string =>
  image?.repository ?? `${service}-${stage}-models`.toLowerCase().replace(/[^a-z0-9]+/g, '-');

export const lambdaImage: Target = {
  kind: 'lambda-image',
  package: 'image',
  properties: propertiesOf,
  statements: () => [],
  resources: () => ({}),
  claims: () => [],
  repository: repositoryOf,
  identity: ({ facts }) => identityOf(facts),
};
