import { openCard } from '../../../core/card/bounded.ts';
import type { CatalogModel } from '../../../core/catalog/contract.ts';
import type { Facts, Model } from '../declaration/model.ts';

/**
 * A model as the catalog tells clients of it, wherever the catalog runs.
 * @param own its name there, what is asked for its versions, and who may call it
 */
export function catalogModel(
  own: Pick<CatalogModel, 'name' | 'function' | 'auth'>,
  { missing }: Pick<Model, 'missing'>,
  { identity, opset, signature, columns, card }: Facts,
): CatalogModel {
  return {
    ...own,
    ...{ identity, opset, signature },
    ...(columns && { columns }),
    ...(missing && { missing }),
    ...(card && { card: openCard(card) }),
  };
}
