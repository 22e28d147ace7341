import { type Limits, type Outcome, runChild } from '../../sandbox/sandbox.ts';
import type { Result, Task } from './child.ts';

/** @param runtime NODE_PATH with onnxruntime-node */
export function runTask(task: Task, runtime: string, limits: Limits): Promise<Outcome<Result>> {
  return runChild<Result>('plugins/models/artifact/onnx/child', task, { NODE_PATH: runtime }, limits);
}
