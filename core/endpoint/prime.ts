import type { Log } from '../ports/log.ts';
import type { Session } from '../ports/session.ts';
import type { Signature, TensorSpec } from '../tensor/contract.ts';
import { KINDS, type Tensor } from '../tensor/datatypes.ts';

/**
 * Under provisioned concurrency an instance waits before it serves: time for ONNX Runtime's first run, which
 * allocates and is several times slower. Elsewhere a request waits already, and two runs would take longer
 * than one.
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
 *
 * A model may refuse an input of zeros (a lookup of what is not there, free dimensions that must agree), so a
 * failure here proves nothing: it is logged and the first request is cold. What proves that a version can
 * answer is the gate.
 *
 * @param signature the graph's own
 * @returns has it run
 */
export function prime(
  session: Session,
  signature: Signature,
  environment: NodeJS.ProcessEnv,
  log: Log,
): boolean {
  if (environment.AWS_LAMBDA_INITIALIZATION_TYPE !== 'provisioned-concurrency') return false;
  try {
    session.run(
      Object.fromEntries(signature.inputs.map((spec) => [spec.name, zeros(spec)])),
      outputsOf(signature),
    );
    return true;
  } catch {
    // Without its message: that of a kernel holds values, and zeros would mislead whoever reads it.
    log.warn('The model refused an input of zeros, so the first request will be cold.', {
      inputs: signature.inputs.length,
    });
    return false;
  }
}

const outputsOf = ({ outputs, omitted }: Signature): string[] | undefined =>
  omitted.length === 0 ? undefined : outputs.map(({ name }) => name);

/** The smallest tensor of a spec: free dimensions are 1. */
export function zeros({ datatype, shape }: TensorSpec): Tensor {
  const dimensions = shape.map((dimension) => (dimension < 0 ? 1 : dimension));
  const elements = dimensions.reduce((product, dimension) => product * dimension, 1);
  const data = datatype === 'BYTES' ? Array<string>(elements).fill('') : KINDS[datatype].allocate(elements);
  return { datatype, shape: dimensions, data: data as never };
}
