/**
 * Less processor for a child than the machine has: one core, or all cores with a quota of one, which is what
 * Lambda gives at 1,769 MB. https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';

/** Words to put before a command; or why this machine cannot do it. */
export type Constraint = { readonly prefix: readonly string[] } | { readonly unmeasured: string };

/** The last core that this process may use: the first ones take most interrupts. */
export function oneCore(): Constraint {
  if (process.platform !== 'linux') return { unmeasured: 'pinning to a core needs Linux' };
  const allowed = /^Cpus_allowed_list:\s*(?:.*[,-])?(\d+)$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  const prefix = ['taskset', '-c', allowed?.[1] ?? '0'];
  return works(prefix) ? { prefix } : { unmeasured: 'taskset (util-linux) does not run here' };
}

/** Microseconds. Lambda's period is shorter than the kernel's default of 100 ms. */
const PERIOD = 20_000;
let quota: Constraint | undefined;

/**
 * All cores, one vCPU's time: by a control group of version 1 or 2, which is removed when this process ends.
 */
export function oneVcpuQuota(): Constraint {
  quota ??= makeQuota();
  return quota;
}

function makeQuota(): Constraint {
  if (process.platform !== 'linux') return { unmeasured: 'a CPU quota needs Linux' };
  if (availableParallelism() < 2) return { unmeasured: 'a quota of one differs from one core only on two' };
  for (const { parent, settings } of places()) {
    const group = join(parent, `serverless-models-bench-${process.pid}`);
    try {
      mkdirSync(group);
    } catch {
      continue;
    }
    process.once('exit', () => remove(group));
    try {
      for (const [file, value] of settings) writeFileSync(join(group, file), value);
      const prefix = ['/bin/sh', '-c', 'echo $$ > "$0" && exec "$@"', join(group, 'cgroup.procs')];
      if (works(prefix)) return { prefix };
    } catch {
      // The next place may allow it.
    }
  }
  return { unmeasured: 'no control group with a CPU quota may be made here; try as root' };
}

/** Where a group with a CPU quota might be made: the own group, and those around it up to the mount. */
function places(): { parent: string; settings: readonly (readonly [string, string])[] }[] {
  const found: ReturnType<typeof places> = [];
  const own = readFileSync('/proc/self/cgroup', 'utf8').split('\n');
  for (const mount of readFileSync('/proc/mounts', 'utf8').split('\n')) {
    const [, at = '', kind = '', options = ''] = mount.split(' ');
    const isV1 = kind === 'cgroup' && options.split(',').includes('cpu');
    if (!isV1 && kind !== 'cgroup2') continue;
    const line = own.find((text) => (isV1 ? /^\d+:(?:.*,)?cpu(?:,.*)?:/ : /^0::/).test(text)) ?? '';
    const period = String(PERIOD);
    const settings: [string, string][] = isV1
      ? [
          ['cpu.cfs_period_us', period],
          ['cpu.cfs_quota_us', period],
        ]
      : [['cpu.max', `${period} ${period}`]];
    for (let path = line.split(':').slice(2).join(':') || '/'; ; path = dirname(path)) {
      found.push({ parent: join(at, path), settings });
      if (path === '/') break;
    }
  }
  return found;
}

function works(prefix: readonly string[]): boolean {
  const [command = '', ...args] = prefix;
  try {
    execFileSync(command, [...args, 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function remove(group: string): void {
  try {
    rmdirSync(group);
  } catch {
    // Still in use for a moment after a child was killed; the next restart of the machine removes it.
  }
}
