import { cardLines } from '../../../core/card/words.ts';
import { originLine } from '../../../core/origin/origin.ts';
import { listOf } from '../../../core/tabular/cells/columns.ts';
import type { Columns, TensorSpec } from '../../../core/tensor/contract.ts';
import { plainText } from '../../../core/text/plain.ts';
import { type Command, NO_MODELS, usage } from '../context/context.ts';
import type { Facts, Model } from '../declaration/model.ts';

/** `sls models list`: what each artifact is, as read from it. Needs no AWS. */
export const command: Command = {
  usage: 'Show the signature, opset, sizes and digest of each model',
  options: {
    json: { usage: 'Print JSON', type: 'boolean' },
    types: { usage: 'Print what the graphs take and give as TypeScript, for transform.ts', type: 'boolean' },
  },
  run: async ({ models, flags, facts, print }) => {
    if (flags.json && flags.types)
      throw usage('--json', 'does not go with --types, which prints TypeScript.', 'Leave one of them out.');
    const found = await facts(models);
    const rows = models.flatMap((model) => {
      const known = found.get(model.name);
      return known === undefined ? [] : [{ model, facts: known }];
    });
    if (flags.types) print(rows.map(toTypes).join('\n'));
    else if (flags.json) print(JSON.stringify(rows.map(toJson), null, 2));
    else print(rows.length === 0 ? NO_MODELS : rows.map(toText).join('\n\n'));
  },
};

type Row = { readonly model: Model; readonly facts: Facts };

export function toJson({ model, facts }: Row) {
  const { signature, runtimeBytes: _, card, ...rest } = facts;
  return {
    name: model.name,
    artifact: model.artifact.reference,
    architecture: model.architecture,
    ...signature,
    ...rest,
    ...(card && { card: card.card }),
  };
}

/**
 * Words that no module may name a constant by:
 * https://tc39.es/ecma262/#prod-ReservedWord, with those of strict code.
 */
const RESERVED = new Set(
  `arguments await break case catch class const continue debugger default delete do else enum eval export
  extends false finally for function if implements import in instanceof interface let new null package private
  protected public return static super switch this throw true try typeof undefined var void while with yield`.split(
    /\s+/,
  ),
);

/** A constant a model, with the graph's own signature even where transform.ts declares another. */
export function toTypes({ model, facts }: Row): string {
  const { inputs, outputs } = facts.graph ?? facts.signature;
  const word = model.name.replace(/-+(.?)/g, (_, letter: string) => letter.toUpperCase());
  // No model's name has an underscore.
  const name = RESERVED.has(word) ? `${word}_` : word;
  const about = `/** The graph of the model ${model.name}, sha256 ${facts.source}. */`;
  return `${about}\nexport const ${name} = ${JSON.stringify({ inputs, outputs }, null, 2)} as const;`;
}

/** Exporters write anything into names: one with the end of a line in it would be a line of its own. */
const shown = (specs: readonly TensorSpec[]): readonly TensorSpec[] =>
  specs.map((spec) => ({ ...spec, name: plainText(spec.name) }));

export function toText({ model, facts }: Row): string {
  const [inputs, outputs] = [shown(facts.signature.inputs), shown(facts.signature.outputs)];
  const names = [...inputs, ...outputs].map(({ name }) => name.length);
  const width = Math.min(32, Math.max(0, ...names));
  const tensors = (label: string, specs: readonly TensorSpec[]): string[] =>
    specs.map(
      ({ name, datatype, shape }, index) =>
        `  ${(index === 0 ? label : '').padEnd(9)} ${name.padEnd(width)}  ${datatype.padEnd(6)} ${shapeOf(shape)}`,
    );
  const size = `${sizeOf(facts.sourceBytes)}, ${sizeOf(facts.zipBytes)} ${facts.image === undefined ? 'zipped' : 'in a layer of its image'}, ${sizeOf(facts.unzippedBytes)} unzipped`;
  return [
    model.name,
    `  artifact  ${model.artifact.reference}`,
    `  sha256    ${facts.source}`,
    ...(facts.signedBy === undefined ? [] : [`  signed    by ${facts.signedBy}`]),
    ...(facts.origin === undefined ? [] : [`  origin    ${originLine(facts.origin)}`]),
    ...(facts.card === undefined
      ? []
      : cardLines(facts.card.card).map(([label, text]) => `  ${label.padEnd(9)} ${text}`)),
    `  size      ${size}`,
    ...(facts.image === undefined ? [] : [`  base      ${facts.image.base}`]),
    `  opset     ${facts.opset === 0 ? 'none: all its operators are of other domains, for example ai.onnx.ml' : facts.opset}`,
    ...tensors('inputs', inputs),
    ...(facts.columns === undefined ? [] : [`  columns   ${columnsOf(facts.columns)}`]),
    ...tensors('outputs', outputs),
    ...facts.notices.map((notice) => `  note      ${plainText(notice)}`),
  ].join('\n');
}

/** Those of reference data alone are known, but do not bind. */
const columnsOf = ({ names, bind }: Columns): string =>
  `${listOf(names.map(plainText))}${bind ? '' : ' (of the reference data)'}`;

/** `[*, 30]`: a star is a free dimension. */
function shapeOf(shape: readonly number[]): string {
  return `[${shape.map((dimension) => (dimension < 0 ? '*' : dimension)).join(', ')}]`;
}

/** Three digits. */
function sizeOf(bytes: number): string {
  if (bytes < 1e3) return `${bytes} bytes`;
  if (bytes < 1e6) return `${Number((bytes / 1e3).toPrecision(3))} kB`;
  return `${Number((bytes / 1e6).toPrecision(3))} MB`;
}
