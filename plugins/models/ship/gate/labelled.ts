import { open, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { isObjectFault, messageAndFix } from '../../../../core/errors/object-errors.ts';
import { classesOf, labelKind, predictionOf } from '../../../../core/quality/labels.ts';
import { COLUMN_NOTICES } from '../../../../core/tabular/cells/columns.ts';
import { formatOf, formatOfFile } from '../../../../core/tabular/formats.ts';
import type { Columns, Signature } from '../../../../core/tensor/contract.ts';
import { diskSource } from '../../baseline/file-source.ts';
import type { ShipContext } from '../../contracts/ship-context.ts';
import type { Facts, GateMetric } from '../../declaration/model.ts';
import { cacheFolder, keyOf, once } from '../../disk/cache.ts';
import { sha256Of, type Upload } from '../../disk/files.ts';
import { knownSha256 } from '../../disk/known.ts';
import { look } from '../../disk/look.ts';
import { type Problem, problemError } from '../../problems/errors.ts';
import { decidable } from './decidable.ts';
import { type AskedLabel, labelledLines } from './labelled-lines.ts';

/** A gate's labelled rows, as they go to the registry. */
export type ShippedLabelled = {
  readonly facts: NonNullable<Facts['labelled']>;
  readonly upload: Upload;
  /** For people: what should be looked at of its columns. */
  readonly notices: readonly string[];
};

/** The model that the rows are asked of. */
export type LabelledModel = { readonly signature: Signature; readonly columns?: Columns | undefined };

/** Part of the cache key: raise it when the same table would come out differently. */
const METHOD = 2;

type Kept = { readonly rows: number; readonly requests: number; readonly notices: readonly string[] };

/**
 * Reads the labelled rows by batch's own readers, holds rows and labels against the model, and writes them as
 * the requests that the gate will send, with their labels. Cached by content.
 *
 * @param key YAML path of `gate.metric`
 * @throws ProblemError MODELS_GATE_METRIC with what does not fit, by row and column, never by value
 */
export async function shipLabelled(
  key: string,
  metric: GateMetric,
  { signature, columns }: LabelledModel,
  { serviceDir, progress }: Pick<ShipContext, 'serviceDir' | 'progress'>,
): Promise<ShippedLabelled> {
  const { cases: path, name, label, classes } = metric;
  const fault = (message: string, fix: string, at = 'cases', value: unknown = path): Error =>
    problemError([
      {
        code: 'MODELS_GATE_METRIC',
        key: at === '' ? key : `${key}.${at}`,
        value,
        message,
        fix,
      } satisfies Problem,
    ]);
  const prediction = predictionOf(name, signature, metric.output);
  if ('message' in prediction) {
    const { message, fix, names } = prediction;
    throw fault(message, fix, names ? 'output' : 'name', names ? metric.output : name);
  }
  const kind = labelKind(name, prediction);
  if (classes !== undefined && kind !== 'index')
    throw fault(
      `do not go with the output ${prediction.name}, which has the classes itself.`,
      'Leave them out, or name an output of floats with `output`.',
      'classes',
      classes,
    );
  const count = classesOf(name, prediction);
  if (classes !== undefined && count !== undefined && classes.length !== count)
    throw fault(
      `are ${classes.length}, and the output ${prediction.name} has ${count} columns.`,
      'Name each column, in their order.',
      'classes',
      classes,
    );
  const fixed = signature.inputs.find(({ shape }) => shape.length > 1 && (shape[0] as number) > 1);
  if (fixed !== undefined)
    throw fault(
      `needs rows, but the input ${fixed.name} has the shape [${fixed.shape.join(', ')}]: its first dimension is fixed, so rows can be neither stacked nor asked one by one.`,
      'Export the model with a free first dimension, or leave out `gate.metric`.',
      '',
    );
  const from = resolve(serviceDir, path);
  const found = await stat(from).catch(() => undefined);
  if (found === undefined || !found.isFile())
    throw fault(
      found === undefined ? `${path} does not exist.` : `${path} is no file.`,
      'Write the path of a table, relative to serverless.yml.',
    );
  const { sha256: source, mark } = await knownSha256(from);
  const asked = { label, kind, classes, count };
  const folder = await once(
    cacheFolder(
      'labelled',
      keyOf(
        source,
        formatAt(path).suffix,
        asked.label,
        asked.kind,
        asked.classes ?? null,
        asked.count ?? null,
        signature.inputs,
        columns ?? null,
        METHOD,
      ).slice(0, 32),
    ),
    async (draft) => {
      progress(`Labelled rows ${basename(path)}`);
      try {
        const { text, ...kept } = await readTable(from, path, asked, { signature, columns }, fault);
        // What is kept under a digest must be the rows of what has it.
        if ((await look(from).catch(() => undefined))?.mark !== mark)
          throw fault(`${path} was changed while it was read.`, 'Retry once nothing writes to it.');
        await writeFile(join(draft, 'rows.jsonl'), text);
        await writeFile(join(draft, 'kept.json'), JSON.stringify(kept));
      } finally {
        progress(undefined);
      }
    },
  );
  const file = join(folder, 'rows.jsonl');
  const { rows, requests, notices } = JSON.parse(await readFile(join(folder, 'kept.json'), 'utf8')) as Kept;
  const text = await readFile(file, 'utf8');
  const undecided = decidable(metric, text);
  if (undecided !== undefined) throw fault(`${path}: ${undecided.message}`, undecided.fix);
  const sha256 = await sha256Of(file);
  const bytes = Buffer.byteLength(text);
  return {
    facts: { sha256, bytes, rows, requests, output: prediction.name },
    upload: { sha256, bytes, from: file },
    notices: notices.map((notice) => `${path}: ${notice}`),
  };
}

const formatAt = (path: string) => formatOf(formatOfFile(path) ?? 'csv');

/** Bytes of a part that a reader has in memory at a time. */
const PART_BYTES = 4 * 1024 ** 2;

async function readTable(
  from: string,
  path: string,
  asked: AskedLabel,
  { signature, columns }: LabelledModel,
  fault: (message: string, fix: string) => Error,
): Promise<Kept & { readonly text: string }> {
  const format = formatAt(path);
  const file = await open(from);
  try {
    const rows = await format.open(await diskSource(file), signature, {
      ids: [asked.label],
      // Other columns may be there, an id for example; JSON lines name theirs in each row.
      join: !format.nests || format.suffix !== '.jsonl',
      ...(columns && { columns }),
    });
    const lines = await labelledLines(rows.all(PART_BYTES), asked, signature, (message, fix) =>
      fault(`${path}: ${message}`, fix),
    );
    return { ...lines, notices: (rows.taken?.notices ?? []).map((code) => COLUMN_NOTICES[code]) };
  } catch (error) {
    if (!isObjectFault(error)) throw error;
    const { message, fix } = messageAndFix(error);
    const own = `, which is one of ids.`;
    if (message.endsWith(own))
      throw fault(
        `${path}: ${message.slice(0, -own.length)}, which would be the label.`,
        'Add it, or name the column of the label with `label`.',
      );
    throw fault(`${path}: ${message}`, fix.replace(', or carry it into the answer with ids or join', ''));
  } finally {
    await file.close();
  }
}
