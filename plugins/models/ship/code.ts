/** The code of functions, as their zips and images have it. */
import type { Manifest } from '../../../core/endpoint/contract.ts';
import type { Code } from '../contracts/builder.ts';
import type { ShipContext } from '../contracts/ship-context.ts';
import type { Model } from '../declaration/model.ts';
import { ownFile } from '../disk/own-file.ts';
import { batchManifest } from '../plan/batch/functions.ts';
import { bundle, importPath } from './bundle.ts';
import { below } from './places.ts';

/** Who makes a handler, by the room of `functions/`, of which constants; and its file in the zip. */
const ROOMS = {
  infer: { file: 'handler.mjs', maker: 'createHandler', constants: ['MODELS_MANIFEST'] },
  batch: { file: 'batch.mjs', maker: 'createBatch', constants: ['MODELS_MANIFEST', 'MODELS_BATCH'] },
} as const;

const roomsOf = ({ batch }: Model): readonly (keyof typeof ROOMS)[] =>
  batch === undefined ? ['infer'] : ['infer', 'batch'];

/**
 * A bundle takes its manifests from constants before it. So one bundle serves all models without a transform.
 */
function moduleOf(room: keyof typeof ROOMS, transform?: string): string {
  const { maker, constants } = ROOMS[room];
  const lines = [`import { ${maker} } from ${importPath(ownFile(`functions/${room}/handler`))};`];
  if (transform !== undefined) lines.push(`import * as transform from ${importPath(transform)};`);
  const given = [...constants, ...(transform === undefined ? [] : ['transform'])];
  lines.push(`export const handler = await ${maker}(${given.join(', ')});`);
  return `${lines.join('\n')}\n`;
}

/** Sources of a model's functions by room, around its transform. */
export const modulesWith = (transform: string, model: Model): Readonly<Record<string, string>> =>
  Object.fromEntries(roomsOf(model).map((room) => [room, moduleOf(room, transform)]));

const bundled = new Map<string, Promise<string>>();

/** A bundle of our own sources, made once a process: they stay as they are, and `source` says which. */
export function ownBundle(source: string, folder: string, key: string): Promise<string> {
  const known = bundled.get(source);
  if (known !== undefined) return known;
  const made = bundle(source, folder, key);
  bundled.set(source, made);
  // What failed may go well the next time: `serve` lives for hours.
  made.catch(() => bundled.delete(source));
  return made;
}

/** The endpoint's, and beside it that of batch: one zip, so that both functions run the very same model. */
export async function codeOf(
  model: Model,
  manifest: Manifest,
  withTransform: Readonly<Record<string, string>> | undefined,
  { serviceDir }: ShipContext,
): Promise<Code> {
  const values = { MODELS_MANIFEST: manifest, MODELS_BATCH: model.batch && batchManifest(model.batch) };
  const code: Record<string, string> = {};
  for (const room of roomsOf(model)) {
    const { file, constants } = ROOMS[room];
    const made =
      withTransform?.[room] ?? ownBundle(moduleOf(room), serviceDir, `models.${model.name}.artifact`);
    const before = constants.map((name) => `const ${name}=${JSON.stringify(values[name])};\n`);
    code[file] = below(before, await made);
  }
  return code;
}
