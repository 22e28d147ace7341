import type { ChildProcess } from 'node:child_process';

/** What a process of ours has started ends with it, however that ends. @param end must not wait */
export function endsWithUs(child: ChildProcess, end: () => void): void {
  process.once('exit', end);
  child.once('close', () => process.off('exit', end));
}
