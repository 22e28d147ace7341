import type { CardDocument } from '../../../../core/card/contract.ts';
import { cycloneDx, numbered } from '../../../../core/card/cyclonedx.ts';
import type { BaseImage, NamedLayer } from './image.ts';
import { readReference } from './reference.ts';

/**
 * What is in an image: the model with its card, ONNX Runtime, the host, Node and the base. The base's own
 * packages are not: whoever publishes it lists them. The same of the same image, byte for byte.
 * https://cyclonedx.org/docs/1.7/json/
 *
 * @param digest of the image's manifest
 */
export function imageBom(
  card: CardDocument,
  {
    digest,
    base,
    layers,
  }: {
    readonly digest: string;
    readonly base: Pick<BaseImage, 'reference' | 'digest' | 'node' | 'config'>;
    readonly layers: readonly Pick<NamedLayer, 'name' | 'diffId'>[];
  },
) {
  const { serialNumber: _, ...bom } = cycloneDx(card);
  const { component: model } = bom.metadata;
  const node = {
    type: 'platform',
    'bom-ref': 'node',
    name: 'Node.js',
    version: base.node.version,
    purl: `pkg:generic/nodejs@${base.node.version}`,
  };
  const host = { type: 'application', 'bom-ref': 'host', name: 'serverless-models host' };
  const below = {
    type: 'container',
    'bom-ref': 'base-image',
    name: base.reference.replace(/@.*$/, ''),
    version: base.digest,
    purl: purlOf(base),
  };
  const own = [model, ...bom.components, host, node, below];
  return numbered({
    ...bom,
    metadata: {
      ...bom.metadata,
      component: {
        type: 'container',
        'bom-ref': 'image',
        name: card.model,
        version: digest,
        hashes: [{ alg: 'SHA-256', content: digest.slice('sha256:'.length) }],
        properties: layers.map(({ name, diffId }) => ({
          name: `serverless-models:layer:${name}`,
          value: diffId,
        })),
      },
    },
    components: own,
    dependencies: [
      { ref: 'image', dependsOn: [...new Set(['model', 'runtime', host, node, below].map(refOf))] },
      ...bom.dependencies,
      { ref: 'host', dependsOn: ['node'] },
      { ref: 'node' },
      { ref: 'base-image' },
    ],
  });
}

const refOf = (component: string | { readonly 'bom-ref': string }): string =>
  typeof component === 'string' ? component : component['bom-ref'];

/**
 * `pkg:oci/<last part>@<digest>?arch=…&repository_url=…`: https://github.com/package-url/purl-spec, type
 * `oci`
 */
function purlOf({ reference, digest, config }: Pick<BaseImage, 'reference' | 'digest' | 'config'>): string {
  const read = readReference(reference);
  const place = 'wrong' in read ? reference : `${read.host}/${read.repository}`;
  const name = place.slice(place.lastIndexOf('/') + 1);
  const at = encodeURIComponent(place).replaceAll('%2F', '/');
  return `pkg:oci/${name}@${encodeURIComponent(digest)}?arch=${config.architecture}&repository_url=${at}`;
}
