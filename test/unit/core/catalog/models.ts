import type { CatalogGroup, CatalogManifest, CatalogModel } from '../../../../core/catalog/contract.ts';
import type { Signature, TensorSpec } from '../../../../core/tensor/contract.ts';

export const tensor = (
  name: string,
  datatype: TensorSpec['datatype'],
  shape: readonly number[],
): TensorSpec => ({
  name,
  datatype,
  shape,
});

export function model(
  name: string,
  signature: Partial<Signature> = {},
  more: Partial<CatalogModel> = {},
): CatalogModel {
  return {
    name,
    function: `shop-dev-${name}`,
    identity: 'ab'.repeat(32),
    opset: 17,
    auth: 'none',
    signature: {
      inputs: [tensor('x', 'FP32', [-1, 3])],
      outputs: [tensor('y', 'FP32', [-1])],
      omitted: [],
      ...signature,
    },
    ...more,
  };
}

export function group(models: readonly CatalogModel[], more: Partial<CatalogGroup> = {}): CatalogGroup {
  const [only, second] = models;
  return {
    path: '/',
    auth: 'none',
    models,
    ...(only !== undefined && second === undefined && { bare: only.name }),
    ...more,
  };
}

export const manifest = (...groups: readonly CatalogGroup[]): CatalogManifest => ({
  schema: 1,
  service: 'shop-dev',
  version: '0.1.0',
  runtime: '1.30.0',
  groups,
});
