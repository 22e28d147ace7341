import { ENV } from '../../../../core/endpoint/contract.ts';
import { isObject } from '../../../../core/json/is-object.ts';
import { allow, type Json, type Resource, type Statement } from '../../contracts/cloudformation.ts';
import type { Host } from '../../contracts/host.ts';
import type { Built } from '../../contracts/input.ts';
import type { Room, Target } from '../../contracts/target.ts';
import type { Facts, LayerFacts, Model, ServiceOptions } from '../../declaration/model.ts';
import { BATCH_HANDLER, HANDLER, layerLogicalId, RUNTIME } from '../../declaration/naming.ts';
import { objects } from '../../plan/iam/s3-arns.ts';
import { nodePath } from '../../plan/shared/given-variables.ts';
import { FILES_PREFIX, layerPrefix, registryKeyStatements } from '../../plan/shared/registry-place.ts';
import { storageSize } from '../../plan/shared/storage.ts';

/** A zip with handler and artifact, in the runtime of Node, beside a layer with ONNX Runtime. */

const HANDLERS: Readonly<Record<Room, string>> = { infer: HANDLER, batch: BATCH_HANDLER };

/** Where the layer has ONNX Runtime, and Lambda's runtime the SDK. */
const MODULES = ['/opt/nodejs/node_modules', '/var/runtime/node_modules'];

function propertiesOf(
  model: Model,
  host: Host,
  options: ServiceOptions,
  built: Built | undefined,
  room: Room,
): Json {
  const { environment, layers } = model.function;
  const given = isObject(environment) ? environment : undefined;
  const runs = { handler: HANDLERS[room], runtime: RUNTIME };
  if (built === undefined) return { ...runs, ...(environment !== undefined && { environment }) };
  return {
    ...runs,
    package: { individually: true, artifact: built.zip },
    layers: [layerReference(layerOf(built)), ...listOf(layers ?? host.provider.layers)],
    environment: {
      ...given,
      ...nodePath(MODULES, model, host),
      ...environmentOf(built, host, options),
    },
    ...storageOf(model, built),
  };
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Literals, so that whatever changes the endpoint's behaviour makes a new version. */
function environmentOf(built: Built, host: Host, options: ServiceOptions): Readonly<Record<string, unknown>> {
  const { facts } = built;
  return {
    [ENV.layer]: layerOf(built).sha256,
    ...(facts.remote.length > 0 && {
      [ENV.filesBucket]: options.registry?.bucket ?? host.bucket,
      [ENV.filesPrefix]: FILES_PREFIX,
    }),
  };
}

/** Room in /tmp for files that are fetched at init. */
function storageOf(model: Model, { facts }: Built): Readonly<Record<string, unknown>> {
  return facts.remote.length === 0 ? {} : { ephemeralStorageSize: storageSize(model, facts) };
}

/**
 * What loading the model itself needs, beside what the function's settings do: any file by its digest, and no
 * list of them. A role has no versions: the live one starts in it until the next one is promoted, and the
 * last good one after a rollback, and both read their own files.
 */
function ownStatements(facts: Facts | undefined, host: Host, options: ServiceOptions): readonly Statement[] {
  if (facts === undefined || facts.remote.length === 0) return [];
  const bucket = options.registry?.bucket ?? host.bucket;
  return [
    allow(['s3:GetObject'], [objects(bucket, FILES_PREFIX)]),
    ...registryKeyStatements(host, options, ['kms:Decrypt']),
  ];
}

/** Not retained: a published version keeps the layer that it was published with. */
function layerResource(host: Host, layer: LayerFacts): Resource {
  return {
    Type: 'AWS::Lambda::LayerVersion',
    Properties: {
      LayerName: `${host.service}-${host.stage}-onnxruntime-${layer.architecture.replace('_', '-')}`,
      Description: `ONNX Runtime ${layer.version} for Node.js`,
      LicenseInfo: 'MIT',
      CompatibleRuntimes: [RUNTIME],
      CompatibleArchitectures: [layer.architecture],
      Content: { S3Bucket: host.bucket, S3Key: `${layerPrefix(host)}${layer.sha256}` },
    },
  };
}

/** The layer that the builder makes beside each zip. */
function layerOf({ layer }: Pick<Built, 'layer'>): LayerFacts {
  if (layer === undefined) throw new Error('A zip runs in a layer, and there is none.');
  return layer;
}

const layerReference = (layer: LayerFacts): unknown => ({ Ref: layerLogicalId(layer.architecture) });

export const lambdaZip: Target = {
  kind: 'lambda-zip',
  package: 'zip',
  properties: propertiesOf,
  statements: ownStatements,
  resources: (host, layers) =>
    Object.fromEntries(
      layers.map((layer) => [layerLogicalId(layer.architecture), layerResource(host, layer)]),
    ),
  claims: (models) =>
    [...new Set(models.map(({ architecture }) => architecture))].map((architecture) => ({
      what: 'layer',
      name: `ONNX Runtime, ${architecture}`,
      resources: [layerLogicalId(architecture)],
    })),
  identity: (built) => layerOf(built).sha256,
};
