import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/** A third of the share of others, where they want the processor, too. */
const NICE = 5;

/**
 * Lets all others go first: the process, what it starts from now on, and on Linux its session, which has a
 * share of its own there before any process of it has one. Where the system does not let it, nothing changes.
 * https://man7.org/linux/man-pages/man7/sched.7.html (The autogroup feature)
 */
export function stepAside(pid: number): void {
  const ways = [() => setPriority(pid, NICE), () => writeFileSync(`/proc/${pid}/autogroup`, String(NICE))];
  for (const way of ways) {
    try {
      way();
    } catch {
      // It has ended, or the system has no such thing.
    }
  }
}
