import { type ProcessLimits, type ProcessOutcome, runChild } from '../../sandbox/sandbox.ts';
import type { ProbeResult, ProbeTask } from './child.ts';

/** @param runtime NODE_PATH with onnxruntime-node */
export function runTask(
  task: ProbeTask,
  runtime: string,
  limits: ProcessLimits,
): Promise<ProcessOutcome<ProbeResult>> {
  return runChild<ProbeResult>('plugins/models/artifact/onnx/child', task, { NODE_PATH: runtime }, limits);
}
