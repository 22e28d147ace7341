import type { ChildProcess } from 'node:child_process';

/** One listener for all of them: Node.js takes more than ten for a leak. */
const ends = new Set<() => void>();
process.once('exit', () => {
  for (const end of ends) end();
});

/** What a process of ours has started ends with it, however that ends. @param end must not wait */
export function endsWithUs(child: ChildProcess, end: () => void): void {
  ends.add(end);
  child.once('close', () => ends.delete(end));
}
