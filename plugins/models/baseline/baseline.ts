import { open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Baseline, OutputSignal, Signal } from '../../../core/drift/contract.ts';
import { COLUMN_NOTICES, type ColumnNotice, listOf } from '../../../core/tabular/cells/columns.ts';
import type { FileFault, Header, Layout } from '../../../core/tabular/cells/layout.ts';
import { formatOf, formatOfFile } from '../../../core/tabular/formats.ts';
import type { Columns, Signature } from '../../../core/tensor/contract.ts';
import type { ArtifactRuntime } from '../contracts/artifact-format.ts';
import { SUFFIXES } from '../declaration/keys/tabular-words.ts';
import { cacheFolder, keyOf, once } from '../disk/cache.ts';
import type { Upload } from '../disk/files.ts';
import { sha256Of } from '../disk/files.ts';
import { knownSha256 } from '../disk/known.ts';
import { look } from '../disk/look.ts';
import { type Problem, problemError } from '../problems/errors.ts';
import { readRows } from './rows.ts';
import { outputSignals } from './run.ts';
import { inputSignals, named } from './signals.ts';
import { openStore, type Store, type Stored } from './store.ts';

/** The model that the reference data are of. */
export type BaselineModel = {
  /** sha256 (hex) of the artifact. */
  readonly digest: string;
  /** Absolute path of the graph's file, and its size with all weights. */
  readonly graph: string;
  readonly bytes: number;
  /** The graph's own: a transform's rows are not what drifts, but what it makes of them. */
  readonly signature: Signature;
  /** Names of the columns of the graph's only input, where they are declared, or in the model. */
  readonly columns?: Columns;
  readonly outputs: readonly OutputSignal[];
  /** NODE_PATH with ONNX Runtime; undefined where it has no build, and outputs cannot be known. */
  readonly runtime: string | undefined;
  readonly engine: Pick<ArtifactRuntime, 'version' | 'gist' | 'session'>;
};

/** Reference data, boiled down: what the plan, the manifest and the registry take of them. */
export type ShippedBaseline = {
  readonly facts: {
    /** Digest of the baseline's JSON, which is named by it. */
    readonly sha256: string;
    readonly bytes: number;
    /** sha256 (hex) of the reference data's file. */
    readonly source: string;
    readonly rows: number;
    readonly signals: readonly Pick<Signal, 'name' | 'label' | 'of' | 'kind' | 'nulls' | 'phi'>[];
  };
  readonly baseline: Baseline;
  /** Names of the columns of the model's only input, as the data's header has them, in the model's order. */
  readonly columns?: readonly string[];
  readonly upload: Upload;
  /** For people. */
  readonly notices: readonly string[];
};

type Surroundings = {
  /** Absolute folder of the serverless.yml. */
  readonly serviceDir: string;
  /** A running line; undefined when done. */
  readonly progress: (text: string | undefined) => void;
};

/** Part of the cache key: raise it when a baseline, or a notice of it, would come out differently. */
const METHOD = 13;

/** Fewer say too little: a quantile in a hundred would be a matter of chance. */
const LEAST_ROWS = 300;

/**
 * Reads reference data and boils them down to quantiles, counts and score constants of the model's inputs
 * and, by running it on them, of its outputs. Rows are what the graph itself takes: of a model with a
 * transform.ts that has a `pre`, what that returns. Cached by content: unchanged data and an unchanged model
 * cost milliseconds.
 *
 * @param key YAML path to blame; @param path as written, relative to the service's folder
 * @throws ProblemError MODELS_REFERENCE with what does not fit, by line and column, never by value
 */
export async function shipBaseline(
  key: string,
  path: string,
  subject: BaselineModel,
  { serviceDir, progress }: Surroundings,
): Promise<ShippedBaseline> {
  const fault: FileFault = (message, fix) =>
    problemError([
      { code: 'MODELS_REFERENCE', key, value: path, message: `${path}: ${message}`, fix } satisfies Problem,
    ]);
  const from = resolve(serviceDir, path);
  const format = formatOfFile(path);
  if (format === undefined)
    throw fault('It is of no format that can be read.', `Write a file that ends in ${SUFFIXES.join(', ')}.`);
  const found = await stat(from).catch(() => undefined);
  if (found === undefined || !found.isFile()) {
    throw fault(
      found === undefined ? 'It does not exist.' : 'It is no file.',
      'Write the path of a file of reference data, relative to serverless.yml.',
    );
  }
  const { sha256: source, mark } = await knownSha256(from);
  const { digest, signature, columns, outputs, runtime, engine } = subject;
  const kept = cacheFolder(
    'baselines',
    keyOf(
      source,
      formatOf(format).suffix,
      digest,
      engine.version,
      METHOD,
      runtime === undefined,
      outputs,
      signature.inputs,
      columns ?? null,
    ).slice(0, 32),
  );
  const folder = await once(kept, async (draft) => {
    const name = basename(path);
    try {
      const {
        baseline,
        columns: named,
        notices,
      } = await build(from, source, format, subject, join(draft, 'rows'), fault, (text) =>
        progress(`Reference data ${name}: ${text}`),
      );
      // Kept under a digest, these must be the quantiles of what has it.
      if ((await look(from).catch(() => undefined))?.mark !== mark) {
        throw fault(
          'It was changed while it was read.',
          'Retry once nothing writes to it, or write another file and rename it.',
        );
      }
      await writeFile(join(draft, 'baseline.json'), JSON.stringify(baseline));
      await writeFile(join(draft, 'notices.json'), JSON.stringify(notices));
      await writeFile(join(draft, 'columns.json'), JSON.stringify(named ?? null));
    } finally {
      progress(undefined);
    }
  });
  const file = join(folder, 'baseline.json');
  const text = await readFile(file);
  const baseline: Baseline = JSON.parse(text.toString());
  const notices: string[] = JSON.parse(await readFile(join(folder, 'notices.json'), 'utf8'));
  const named: readonly string[] | null = JSON.parse(await readFile(join(folder, 'columns.json'), 'utf8'));
  const sha256 = await sha256Of(file);
  const signals = baseline.signals.map(({ name, label, of, kind, nulls, phi }) => ({
    name,
    label,
    of,
    kind,
    nulls,
    phi,
  }));
  return {
    facts: { sha256, bytes: text.length, source, rows: baseline.rows, signals },
    baseline,
    ...(named !== null && { columns: named }),
    upload: { sha256, bytes: text.length, from: file },
    notices,
  };
}

async function build(
  from: string,
  source: string,
  format: string,
  subject: BaselineModel,
  rowsPath: string,
  fault: FileFault,
  progress: (text: string) => void,
): Promise<{
  baseline: Baseline;
  columns: readonly string[] | undefined;
  notices: readonly string[];
}> {
  const { outputs, runtime } = subject;
  try {
    const { stored, layout, columns, trusted } = await readInto(
      rowsPath,
      from,
      format,
      subject,
      fault,
      progress,
    );
    progress('the model runs on its rows');
    // First, as it is here that the data may be none for the model.
    const answered =
      outputs.length === 0 || runtime === undefined
        ? { signals: [], notices: outputs.length === 0 ? unscored(subject.signature) : [NOT_RUN] }
        : await outputSignals(subject, runtime, stored, layout.tensors, fault);
    const file = await open(rowsPath);
    try {
      const found = await inputSignals(file, stored, layout, (done, of) =>
        progress(`${done} of ${of} columns`),
      );
      const signals = named([...found.signals, ...answered.signals]);
      const baseline: Baseline = { schema: 1, source, rows: stored.rows, signals };
      return { baseline, columns, notices: [...trusted, ...found.notices, ...answered.notices] };
    } finally {
      await file.close();
    }
  } finally {
    await rm(rowsPath, { force: true });
  }
}

const NO_NAMES =
  'The columns of the reference data were taken in their order: the file has no names for them.';

/** Neither the monitor nor the judge has anything of such answers: nobody would hear that they changed. */
const unscored = ({ outputs }: Signature): readonly string[] =>
  outputs.length === 0
    ? []
    : [
        `The model’s answers are not watched, nor compared in a canary: no output has one number a row, [-1] or [-1, 1], nor columns of classes and a name like probabilities. It has ${listOf(outputs.map(({ name, datatype, shape }) => `${name} ${datatype} [${shape.join(', ')}]`))}.`,
      ];

const NOT_RUN = 'The model’s answers are not watched: ONNX Runtime has no build for this machine.';

/** The file's rows as the model's tensors have them, by column, in a file of our own. */
async function readInto(
  path: string,
  from: string,
  format: string,
  { signature, columns }: BaselineModel,
  fault: FileFault,
  progress: (text: string) => void,
): Promise<{
  stored: Stored;
  layout: Layout;
  columns: readonly string[] | undefined;
  trusted: readonly string[];
}> {
  const codes: ColumnNotice[] = [];
  let names: readonly string[] | undefined;
  let layout: Layout | undefined;
  let store: Store | undefined;
  try {
    await readRows(from, formatOf(format), signature, columns, {
      fault,
      progress: (share) => progress(`${Math.round(share * 100)} % read`),
      async opened(table) {
        layout = table.layout;
        codes.push(...layout.taken.notices);
        names = namesOf(signature, table.header, layout);
        store = await openStore(path, layout.fields, fault);
        return store;
      },
    });
    const rows = store?.rows() ?? 0;
    if (layout === undefined || store === undefined)
      throw fault('It is empty.', 'Write a row for each example, under the names of the columns.');
    if (rows < LEAST_ROWS) {
      throw fault(
        `It has ${rows} rows; reference data have at least ${LEAST_ROWS}.`,
        'Take more rows: 10,000 make the noise of the reference small.',
      );
    }
    const texts = store.texts.map((dictionary) => dictionary?.list);
    const isTrusted = columns !== undefined && layout.taken.by === 'order';
    const trusted = [...(isTrusted ? [NO_NAMES] : []), ...codes.map((code) => COLUMN_NOTICES[code])];
    return {
      layout,
      columns: names,
      trusted,
      stored: { path, fields: store.fields, capacity: store.capacity, rows, texts },
    };
  } finally {
    await store?.close();
  }
}

/**
 * What a header calls the columns of the model's only input, in its order; undefined where it is no table of
 * them.
 */
function namesOf(
  { inputs }: Signature,
  { names, widths }: Header,
  { targets }: Layout,
): readonly string[] | undefined {
  const [only, ...others] = inputs;
  if (names === undefined || only === undefined || others.length > 0 || only.shape.length !== 2)
    return undefined;
  const named: string[] = [];
  for (const [column, target] of targets.entries()) {
    if (target < 0) continue;
    if (widths[column] !== 1) return undefined;
    named[target] = names[column] as string;
  }
  return named;
}
