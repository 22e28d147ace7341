import type { GateState } from './contract.ts';

/** What to do where a version does not pass, without a stop at its end: what was at fault says it. */
export function gateFix({ failed, metric, load, reason }: GateState): string {
  if (failed.length > 0) return 'Fix the model, or the case that expects something else';
  if (metric !== undefined && metric.refused.length > 0)
    return 'Fix the model, or the labelled rows that it does not answer';
  // Rows that could not decide may have been let pass, and something else be at fault.
  const found = metric?.result;
  if (found !== undefined && reason?.includes(found.reason))
    return found.verdict === 'nodata'
      ? 'Label more rows, write another limit, or let it pass with `gate.metric.onNoData: pass`'
      : 'Fix the model, or write another limit of `gate.metric`';
  return load === undefined
    ? 'Fix the model, or give it more `memory`'
    : 'Fix the model, give it more `memory`, or write another `gate.load` or `latency.p95`';
}
