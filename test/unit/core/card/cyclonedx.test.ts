/** The ML-BOM is what CycloneDX’s own validator takes; `npm run soak -- card` asks the one for Python. */
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { describe, expect, it } from 'vitest';
import type { CardDocument } from '../../../../core/card/contract.ts';
import { cycloneDx } from '../../../../core/card/cyclonedx.ts';
import { SPDX } from '../../../../core/card/licence.ts';
import { CARDS } from '../../../cards.ts';

const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot7);
const faultsOf = (bom: unknown): Promise<unknown> => validator.validate(JSON.stringify(bom));

/** Objects in a value, at any depth. */
function partsOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = Array.isArray(value) ? [] : [value as Readonly<Record<string, unknown>>];
  return [...own, ...Object.values(value).flatMap(partsOf)];
}

describe.each(Object.entries(CARDS))('the ML-BOM of %s', (_, document) => {
  it('is valid', async () => {
    expect(await faultsOf(cycloneDx(document))).toBeNull();
  });

  it('is the same of the same, and has another serial number where anything differs', () => {
    expect(JSON.stringify(cycloneDx(document))).toBe(JSON.stringify(cycloneDx(structuredClone(document))));
    const other = { ...document, artifact: { ...document.artifact, opset: 7 } };
    expect(cycloneDx(other).serialNumber).not.toBe(cycloneDx(document).serialNumber);
    expect(cycloneDx(document).serialNumber).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  it('refers to what is in it, and names each once', () => {
    const bom = cycloneDx(document);
    const names = partsOf(bom).flatMap((part) =>
      typeof part['bom-ref'] === 'string' ? [part['bom-ref']] : [],
    );
    expect(new Set(names).size).toBe(names.length);
    const meant = partsOf(bom)
      .flatMap(({ ref, dependsOn }) => [ref, dependsOn].flat())
      .filter((ref) => ref !== undefined);
    expect(meant.filter((ref) => !names.includes(String(ref)))).toEqual([]);
  });
});

it('the validator refuses what is no ML-BOM', async () => {
  const bom = cycloneDx(CARDS.mlflow) as unknown as {
    metadata: { component: { modelCard: { modelParameters: object } } };
  };
  const { modelParameters } = bom.metadata.component.modelCard;
  Object.assign(modelParameters, { approach: { type: 'guessing' } });
  expect(await faultsOf(bom)).not.toBeNull();
});

it('tells task, data with our hash, metrics with their data, licence, base and files', () => {
  const componentOf = (document: CardDocument) =>
    cycloneDx(document) as {
      metadata: { component: Record<string, unknown> };
      components: readonly Record<string, unknown>[];
    };
  const { metadata, components } = componentOf(CARDS.mlflow);
  expect(metadata.component).toMatchObject({
    type: 'machine-learning-model',
    name: 'churn',
    version: '3',
    purl: 'pkg:mlflow/churn@3?repository_url=https%3A%2F%2Fmlflow.example.com',
    hashes: [{ alg: 'SHA-256', content: 'b'.repeat(64) }],
    licenses: [{ license: { id: 'Apache-2.0' } }],
    modelCard: {
      modelParameters: {
        task: 'classification',
        datasets: [{ ref: 'data-1' }, { ref: 'data-2' }],
        inputs: [{ format: 'x: FP32 [-1, 4]' }],
      },
      quantitativeAnalysis: {
        performanceMetrics: [
          { type: 'auc', value: '0.9134', slice: 'churn-eval' },
          { type: 'log_loss', value: '0.31' },
        ],
      },
    },
  });
  expect(components).toMatchObject([
    { name: 'ONNX Runtime', purl: 'pkg:npm/onnxruntime-node@1.30.0' },
    { type: 'data', name: 'churn-2026-11', hashes: [{ alg: 'SHA-256', content: 'c'.repeat(64) }] },
    { type: 'data', name: 'churn-eval' },
  ]);
  // MLflow's digest is no hash of the data.
  expect(JSON.stringify(components[2])).not.toContain('hashes');
  expect(componentOf(CARDS.hub).metadata.component).toMatchObject({
    licenses: [{ license: { name: 'Some Licence of Its Own v1' } }],
    pedigree: {
      ancestors: [{ name: 'org/big', version: '0123456789'.repeat(4), type: 'machine-learning-model' }],
    },
    components: [{ name: 'model.onnx' }, { name: 'weights/w.bin' }],
  });
  expect(Object.keys(componentOf(CARDS.bare).metadata.component)).not.toContain('licenses');
});

it.each(SPDX)('%s is an identifier of SPDX, by the list of CycloneDX', async (licence) => {
  const document = {
    ...CARDS.bare,
    card: { ...CARDS.bare.card, licence: { value: licence.toLowerCase(), from: ['card'] as const } },
  };
  const bom = cycloneDx(document);
  expect(JSON.stringify(bom)).toContain(`{"license":{"id":"${licence}"}}`);
  expect(await faultsOf(bom)).toBeNull();
});
