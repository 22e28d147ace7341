import type { Entry, Format } from '../../../core/batch/contract.ts';
import { answerWidth } from '../../../core/batch/model.ts';
import { widthOf } from '../../../core/tabular/cells/layout.ts';
import { formatOf } from '../../../core/tabular/formats.ts';
import type { Columns, Signature, TensorSpec } from '../../../core/tensor/contract.ts';
import { anyOf, FORMATS_OF_TEXTS } from '../declaration/keys/tabular-words.ts';
import type { Batch } from '../declaration/model.ts';
import type { Problem } from '../problems/errors.ts';

/** Does a model's batch fit what the model takes and gives? The rest of its rules needs no artifact. */
export function batchFitProblems(
  key: string,
  { entries }: Batch,
  signature: Signature,
  columns?: Columns,
): readonly Problem[] {
  return [
    ...signature.inputs.flatMap((spec) => rowProblems(key, spec)),
    ...entries.flatMap((entry, index) => entryProblems(`${key}.${index}`, entry, signature, columns)),
  ];
}

/** Rows go through the model stacked along the first dimension, or where that is 1, one after the other. */
function rowProblems(key: string, { name, shape }: TensorSpec): readonly Problem[] {
  const [first] = shape;
  const written = `[${shape.join(', ')}]`;
  const fix = 'Export the model with a free first dimension, or leave out `batch`.';
  if (first === undefined)
    return [misfit(key, `needs rows, but the input ${name} is a single value without any dimension.`, fix)];
  if (first !== -1 && first !== 1) {
    const message = `needs rows, but the input ${name} has the shape ${written}: its first dimension is fixed, so rows can be neither stacked nor sent one by one.`;
    return [misfit(key, message, fix)];
  }
  if (widthOf({ name, datatype: 'FP32', shape }) < 0 && shape.length !== 2) {
    const message = `needs rows of a known size, but the input ${name} has the shape ${written}.`;
    return [misfit(key, message, 'Export the model with fixed dimensions except the first.')];
  }
  return [];
}

function entryProblems(
  key: string,
  entry: Entry,
  signature: Signature,
  columns: Columns | undefined,
): readonly Problem[] {
  const { inputs, outputs, omitted } = signature;
  const { format, outputFormat, emit, ids } = entry;
  const has = (output: TensorSpec, column: string): boolean =>
    hasColumn(output.name, answerWidth(signature, output), outputFormat, column);
  const problems: Problem[] = [];
  const known = outputs.map(({ name }) => name);
  for (const name of emit.filter((one) => !known.includes(one))) {
    const message = omitted.includes(name)
      ? `names ${name}, which is left out of the signature: it is no tensor.`
      : `names ${name}, which is no output of the model.`;
    problems.push({ ...misfit(`${key}.emit`, message, `Choose from ${known.join(', ')}.`), value: name });
  }
  for (const name of ids.filter((one) => inputs.some((input) => input.name === one))) {
    const fix = 'Leave it out, or write `join: input`, which writes all columns.';
    problems.push({
      ...misfit(`${key}.ids`, `names ${name}, which is an input of the model.`, fix),
      value: name,
    });
  }
  for (const name of ids.filter((one) => columns?.names.includes(one))) {
    const fix = 'Leave it out, or write `join: input`, which writes all columns.';
    problems.push({
      ...misfit(`${key}.ids`, `names ${name}, which is a column of the model.`, fix),
      value: name,
    });
  }
  const written = emit.length === 0 ? outputs : outputs.filter(({ name }) => emit.includes(name));
  for (const name of ids.filter((one) => written.some((output) => has(output, one)))) {
    const fix = 'Rename the column in the objects, or choose other outputs with `emit`.';
    problems.push({
      ...misfit(`${key}.ids`, `names ${name}, which is also the name of a written output.`, fix),
      value: name,
    });
  }
  const named = formatOf(outputFormat).isArray ? [] : written.filter((output) => has(output, output.name));
  for (const { name } of named) {
    const wide = written.find((other) => other.name !== name && has(other, name));
    if (wide === undefined) continue;
    const message = `has the output ${name}, and a column of the output ${wide.name} has that name in ${outputFormat}, too.`;
    const fix = 'Choose other outputs with `emit`, write jsonl, or rename one of them in the model.';
    problems.push(misfit(key, message, fix));
  }
  const numbered = ids.length === 0 && !entry.join && !formatOf(outputFormat).isArray;
  if (numbered && written.some((output) => has(output, 'row'))) {
    const message = 'has an output row, and the column with the number of each row has that name, too.';
    const fix = 'Write `ids` or `join: input`, which take its place, or choose other outputs with `emit`.';
    problems.push(misfit(key, message, fix));
  }
  const text = inputs.find(({ datatype }) => datatype === 'BYTES');
  if (formatOf(format).isArray && text !== undefined) {
    const message = `is ${format}, which has numbers only, and the input ${text.name} takes text.`;
    problems.push(misfit(`${key}.format`, message, `Write ${anyOf(FORMATS_OF_TEXTS)}.`));
  }
  const worded = written.find(({ datatype }) => datatype === 'BYTES');
  if (formatOf(outputFormat).isArray && worded !== undefined) {
    const message = `is ${outputFormat}, which has numbers only, and the output ${worded.name} is text.`;
    const fix = `Write ${anyOf(FORMATS_OF_TEXTS)}, or choose other outputs with \`emit\`.`;
    problems.push(misfit(`${key}.outputFormat`, message, fix));
  }
  return problems;
}

/**
 * Has an output a column of this name where it is written? With an open row size the first ones count. No
 * list of them is made: a graph may declare more than fit into memory.
 */
function hasColumn(output: string, width: number, format: Format, column: string): boolean {
  if (width === 1 || formatOf(format).nests) return column === output;
  if (!column.startsWith(`${output}_`)) return false;
  const index = column.slice(output.length + 1);
  return /^(0|[1-9]\d*)$/.test(index) && Number(index) < (width < 0 ? 1000 : width);
}

function misfit(key: string, message: string, fix: string): Problem {
  return { code: 'MODELS_BATCH', key, message, fix };
}
