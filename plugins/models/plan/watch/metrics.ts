import type { OutputSignal } from '../../../../core/drift/contract.ts';
import { SLOW_STEPS } from '../../../../core/endpoint/contract.ts';
import { METRICS } from '../../../../core/metrics/contract.ts';
import type { Signature, TensorSpec } from '../../../../core/tensor/contract.ts';

/**
 * Output signals of a model at most: each costs, and each takes a share of the false alarms that the judge
 * may make.
 */
const MOST_SIGNALS = 4;

/**
 * The name of core/endpoint/output-signals.ts' functions from outputs to scores: another function needs
 * another name.
 */
const BASIS = 'f1';

/**
 * What the endpoint publishes of a graph's outputs, told by the signature alone:
 *
 *   floats [n, K] named like probabilities or logits    label, confidence and, beyond two, entropy
 *   whole numbers [n] or [n, 1], without such           prediction
 *   floats [n], [n, 1] or a scalar, without such        prediction
 *
 * Names decide what rows of K floats are: an embedding has no classes. skl2onnx, onnxmltools and PyTorch
 * exporters say `probabilities`, `output_probability`, `logits`. Texts, maps and everything else give none:
 * then the judge goes by errors and slowness.
 */
export function signalsOf({ outputs }: Signature): readonly OutputSignal[] {
  const classes = outputs.find(isOfClasses);
  if (classes !== undefined) return classSignals(classes);
  return outputs
    .filter(isOfOneValue)
    .slice(0, MOST_SIGNALS)
    .map(({ name }, i) => ({
      name: `prediction${i === 0 ? '' : i + 1}_${BASIS}`,
      kind: 'prediction',
      output: name,
      logits: false,
      scores: 1,
    }));
}

/** Two classes: confidence says what entropy says. A free K may be two or more. */
function classSignals({ name, shape }: TensorSpec): readonly OutputSignal[] {
  const count = shape.at(-1) ?? -1;
  // Scores of class and entropy depend on K: versions of different K have different names.
  const known = count > 0 ? String(count) : '';
  const logits = LOGITS.test(name);
  const signal = (kind: OutputSignal['kind'], of: string, scores: 1 | 2): OutputSignal => ({
    name: `${kind}${of}_${BASIS}`,
    kind,
    output: name,
    logits,
    scores,
  });
  return [
    signal('label', known, count === 2 ? 1 : 2),
    signal('confidence', '', 2),
    ...(count === 2 ? [] : [signal('entropy', known, 2)]),
  ];
}

const LOGITS = /logit/i;
const isFloat = ({ datatype }: TensorSpec): boolean => datatype.startsWith('FP');
const isOfClasses = (spec: TensorSpec): boolean => {
  const [, count] = spec.shape;
  return (
    isFloat(spec) &&
    spec.shape.length === 2 &&
    count !== 1 &&
    count !== 0 &&
    /prob|softmax|logit/i.test(spec.name)
  );
};
const isOfOneValue = ({ datatype, shape }: TensorSpec): boolean =>
  datatype !== 'BYTES' && datatype !== 'BOOL' && (shape.length < 2 || (shape.length === 2 && shape[1] === 1));

/** @param p95 milliseconds, as declared in `latency` */
export function slowEdgesOf(p95: number | undefined): readonly number[] | undefined {
  return p95 === undefined ? undefined : SLOW_STEPS.map((step) => p95 * step);
}

/**
 * Custom metrics that CloudWatch bills for one version in use: each name by `[Model]` and by `[Model,
 * Version]`.
 */
export function metricCount(signals: readonly OutputSignal[], hasSlowEdges: boolean): number {
  const counts = [METRICS.requests, METRICS.errors, METRICS.latency, METRICS.coldStart, METRICS.rejected];
  const slow = hasSlowEdges ? METRICS.slow.length : 0;
  return 2 * (counts.length + slow + scoreLengths(signals).length);
}

/**
 * Bytes of the line that counts an answer: its fixed part with a name of usual length, and each score's name
 * twice with its value.
 */
export function lineBytes(signals: readonly OutputSignal[]): number {
  return scoreLengths(signals).reduce((sum, length) => sum + 2 * length + 28, 280);
}

/** Characters in the name of each score's metric. */
function scoreLengths(signals: readonly OutputSignal[]): number[] {
  return signals.flatMap(({ name, scores }) =>
    METRICS.scores
      .filter((score) => scores === 2 || !score.includes('b'))
      .map((score) => `${METRICS.output}${name}_${score}`.length),
  );
}
