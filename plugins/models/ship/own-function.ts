import type { ShipContext } from '../contracts/ship-context.ts';
import { sha256Text } from '../disk/files.ts';
import { packZip } from '../disk/pack.ts';
import { ownBundle } from './code.ts';
import type { Shipped } from './ship.ts';

/**
 * A function of ours without a model (catalog, release worker): bundled from generated source and zipped.
 *
 * @param source an ES module that exports `handler`; imports by `importPath(ownFile('functions/…'))`
 */
export async function shipFunction(
  name: string,
  source: string,
  context: Pick<ShipContext, 'serviceDir' | 'outDir' | 'zipOf'>,
): Promise<
  Pick<Shipped, 'content'> & { readonly zip: string; readonly sha256: string; readonly zipBytes: number }
> {
  const code = await ownBundle(source, context.serviceDir, 'custom.models');
  const { content, zip, zipBytes } = await packZip(name, { 'handler.mjs': code }, [], context);
  return { content, zip, sha256: sha256Text(code), zipBytes };
}
