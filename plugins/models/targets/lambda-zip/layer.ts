import type { Resource } from '../../contracts/cloudformation.ts';
import type { Host } from '../../contracts/host.ts';
import type { LayerFacts } from '../../declaration/model.ts';
import { layerLogicalId, RUNTIME } from '../../declaration/naming.ts';

/**
 * Where the layer's zip lies in the deployment bucket: by content, so that an unchanged layer is neither uploaded nor
 * published again, and below the framework's prefix, which is emptied on remove. (The framework's own layers cannot be
 * had without credentials: it asks AWS for the last one even to package.)
 */
export const layerPrefix = (host: Host): string => `${host.prefix}models/`;

/** Not retained: a published version keeps the layer that it was published with. */
export function layerOf(host: Host, layer: LayerFacts): Resource {
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

export const layerReference = (layer: LayerFacts): unknown => ({ Ref: layerLogicalId(layer.architecture) });
