import type { Host } from '../../contracts/host.ts';
import type { Model } from '../../declaration/model.ts';
import type { Problem } from '../../problems/errors.ts';

/** A function takes so many: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const LAYERS = 5;

/**
 * Layers of the provider, which stand behind the one of ONNX Runtime in each zip that names none itself:
 * Lambda would refuse too many in the middle of a deploy.
 */
export function layerProblems(models: readonly Model[], { provider }: Host): readonly Problem[] {
  const { layers } = provider;
  const model = models.find((one) => one.package === 'zip' && !Array.isArray(one.function.layers));
  if (model === undefined || !Array.isArray(layers) || layers.length < LAYERS) return [];
  return [
    {
      code: 'MODELS_LIMIT',
      key: 'provider.layers',
      message: `has ${layers.length} layers, which models.${model.name} gets beside the one of ONNX Runtime; Lambda takes ${LAYERS}.`,
      fix: `Write the ones that it needs as \`function.layers\` of the model, at most ${LAYERS - 1}: they take the place of the provider’s.`,
    },
  ];
}
