import { NATIVE, type ScoredBaseline, type Signal } from '../../../core/drift/contract.ts';
import { listOf } from '../../../core/tabular/cells/columns.ts';
import type { Signature } from '../../../core/tensor/contract.ts';
import { isFloat } from '../../../core/tensor/values.ts';
import { shipBaseline } from '../baseline/baseline.ts';
import type { ArtifactFormat, Inspection, KeptArtifact } from '../contracts/artifact-format.ts';
import type { ShipContext } from '../contracts/ship-context.ts';
import type { Drift, DriftFacts, Model } from '../declaration/model.ts';
import type { Upload } from '../disk/files.ts';
import { signalsOf } from '../plan/watch/metrics.ts';
import type { KnownColumns } from './columns.ts';

/**
 * What a model's reference data become: what its endpoint scores, what the plan watches, and the file for the
 * registry.
 */
export type ShippedReference = {
  readonly scored: ScoredBaseline;
  readonly facts: DriftFacts;
  /** Names of the columns of the graph's only input, as the data's header has them. */
  readonly columns?: readonly string[];
  readonly upload: Upload;
  readonly notices: readonly string[];
};

/** @throws ProblemError MODELS_REFERENCE where the data do not fit the model */
export async function shipReference(
  name: string,
  drift: Drift,
  {
    format,
    source,
    inspection,
    hasPre,
    known,
  }: {
    readonly format: ArtifactFormat;
    readonly source: KeptArtifact;
    readonly inspection: Inspection;
    readonly hasPre: boolean;
    readonly known?: Pick<KnownColumns, 'graph'>;
  },
  context: ShipContext,
): Promise<ShippedReference> {
  const { baseline, columns, facts, upload, notices } = await shipBaseline(
    `models.${name}.drift.baseline`,
    drift.baseline,
    {
      digest: source.digest,
      graph: source.files[0]?.from ?? '',
      bytes: source.bytes,
      signature: inspection.signature,
      ...(known?.graph && { columns: known.graph }),
      outputs: signalsOf(inspection.signature),
      runtime: await format.runtime.here(context.progress),
      engine: format.runtime,
    },
    context,
  );
  const { signals } = baseline;
  const native = !hasPre && isNative(signals);
  return {
    scored: {
      baseline: facts.sha256,
      native,
      ...(drift.sample < 1 && { sample: drift.sample }),
      signals,
    },
    facts: {
      sha256: facts.sha256,
      bytes: facts.bytes,
      rows: facts.rows,
      native,
      signals: signals.map((signal) => ({
        name: signal.name,
        label: signal.label,
        of: signal.of,
        kind: signal.kind,
        phi: signal.phi,
        m: (signal.rows ?? baseline.rows) - signal.nulls,
        ...(isConstant(signal, baseline.rows) && { constant: true as const }),
      })),
    },
    upload,
    ...(columns && { columns }),
    notices: [...notices, ...unanswered(signals, baseline.rows)],
  };
}

/** A column without a value has a deviation of 0 too, yet is not constant: its empty cells are watched. */
const isConstant = (signal: Signal, rows: number): boolean =>
  signal.kind === 'numeric' && signal.sd === 0 && (signal.rows ?? rows) > signal.nulls;

/** A model that has no answer for its own reference data is worth a word before anybody asks it. */
function unanswered(signals: readonly Signal[], rows: number): readonly string[] {
  const [worst] = signals.filter(({ of }) => of === 'output').sort((one, other) => other.nulls - one.nulls);
  return worst === undefined || worst.nulls === 0
    ? []
    : [
        `The model gives no finite answer to ${worst.nulls} of ${worst.rows ?? rows} rows of its reference data.`,
      ];
}

/**
 * Rows that no request can be as: where the reference has so many of them that their absence is larger than
 * `effect`, each window is called drifted. The size of a share that is none any more is about its root.
 *
 * @param inputs what clients send: floats alone have a missing value
 * @returns notices, where there are such
 */
export function refusedAbsence(
  { drift, missing, batch }: Pick<Model, 'drift' | 'missing' | 'batch'>,
  { scored: { signals }, facts: { rows: all } }: Pick<ShippedReference, 'scored' | 'facts'>,
  inputs: Signature['inputs'],
): readonly string[] {
  if (drift === undefined) return [];
  const absent = signals.filter(
    ({ of, kind, nulls, rows = all }) =>
      of === 'input' && kind === 'numeric' && nulls < rows && nulls / rows > drift.effect ** 2,
  );
  const floats = new Set(inputs.filter(({ datatype }) => isFloat(datatype)).map(({ name }) => name));
  const takesNaN = missing === 'nan' || batch?.entries.some((entry) => entry.missing === 'nan') === true;
  const refused = takesNaN ? [] : absent.filter(({ tensor }) => floats.has(tensor));
  const whole = absent.filter(({ tensor }) => !floats.has(tensor));
  return [
    ...(refused.length === 0
      ? []
      : [
          `Csv and JSON are refused without a value of ${namesOf(refused)}, which the reference lacks in some rows: that will be told as drift. Write \`missing: nan\` where clients leave such floats out, else fill those cells in, or leave the rows out of the reference.`,
        ]),
    ...(whole.length === 0
      ? []
      : [
          `No request can be without a value of ${namesOf(whole)}, which the reference lacks in some rows: that will be told as drift. The model takes no floats there, and what is no float has no missing value, also with \`missing: nan\`. Fill those cells in, or leave the rows out of the reference.`,
        ]),
  ];
}

/** The norm of a wide row is no column; its input has a name. */
const namesOf = (signals: readonly Signal[]): string =>
  listOf([...new Set(signals.map(({ label, tensor, value }) => (value === 'element' ? label : tensor)))]);

/**
 * Few numeric inputs, none of which is absent at times: what a transform makes of a request may be, and so is
 * what the reference has empty cells of. Rows then differ by signal, and native alarms count them once for
 * all.
 */
function isNative(signals: readonly Signal[]): boolean {
  const inputs = signals.filter(({ of }) => of === 'input');
  return inputs.length <= NATIVE && inputs.every(({ kind, nulls }) => kind === 'numeric' && nulls === 0);
}
