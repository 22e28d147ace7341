import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { cpusOf, groupsIn } from '../../core/host/cpus.ts';

/** Whole processors that this process may use, by its control groups and its affinity. */
export function ownCpus(): number {
  const { v2, v1 } = groupsIn(textOf('/proc/self/cgroup'));
  const max = v2.map((group) => textOf(`/sys/fs/cgroup${group}/cpu.max`));
  const cfs = v1.map((group) => ({
    quota: textOf(`/sys/fs/cgroup/cpu${group}/cpu.cfs_quota_us`),
    period: textOf(`/sys/fs/cgroup/cpu${group}/cpu.cfs_period_us`),
  }));
  return cpusOf({ max, cfs }, availableParallelism());
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
