import type { Manifest } from '../../core/endpoint/contract.ts';
import { METRICS } from '../../core/metrics/contract.ts';
import type { Tensors } from '../../core/tensor/tensors.ts';
import { createDrift } from '../runtime/drift.ts';
import { levelOf } from '../runtime/emf.ts';

/**
 * Rows of jobs are held against the reference data as requests are: a block is a request. The line is what
 * the monitor counts, in this function's own log; sums that native alarms read are the endpoint's metrics.
 *
 * @param endpoint Lambda's name of the endpoint's function
 * @param out takes whole lines, each with its newline
 * @returns undefined where nothing is declared
 */
export function driftWriter(
  { drift, graph, signature }: Manifest,
  endpoint: string,
  environment: NodeJS.ProcessEnv,
  out: (lines: string) => void,
): ((inputs: Tensors, outputs: Tensors) => void) | undefined {
  if (drift === undefined) return undefined;
  const drifted = createDrift(drift, graph ?? signature, environment);
  const filtered = levelOf(environment);
  return (inputs, outputs) => {
    const found = drifted(inputs, outputs);
    if (found === undefined) return;
    const now = Date.now();
    const level = filtered === '' ? '' : `,"timestamp":"${new Date(now).toISOString()}"${filtered}`;
    const sums =
      found.directives === ''
        ? ''
        : `{"_aws":{"CloudWatchMetrics":[${found.directives.slice(1)}],"Timestamp":${now}}${level},"${METRICS.model}":${JSON.stringify(endpoint)}${found.members}}\n`;
    out(`${sums}${found.line}${level}}\n`);
  };
}
