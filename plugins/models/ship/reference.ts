import { NATIVE, type ScoredBaseline, type Signal } from '../../../core/drift/contract.ts';
import { shipBaseline } from '../baseline/baseline.ts';
import type { ArtifactFormat, Inspection, KeptArtifact } from '../contracts/artifact-format.ts';
import type { ShipContext } from '../contracts/ship-context.ts';
import type { Drift, DriftFacts } from '../declaration/model.ts';
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
      signals: signals.map(({ name: signal, label, of, kind, phi, nulls, rows = baseline.rows }) => ({
        name: signal,
        label,
        of,
        kind,
        phi,
        m: rows - nulls,
      })),
    },
    upload,
    ...(columns && { columns }),
    notices: [...notices, ...unanswered(signals, baseline.rows)],
  };
}

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
 * Few numeric inputs, none of which is absent at times: what a transform makes of a request may be, and so is
 * what the reference has empty cells of. Rows then differ by signal, and native alarms count them once for
 * all.
 */
function isNative(signals: readonly Signal[]): boolean {
  const inputs = signals.filter(({ of }) => of === 'input');
  return inputs.length <= NATIVE && inputs.every(({ kind, nulls }) => kind === 'numeric' && nulls === 0);
}
