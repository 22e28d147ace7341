import { readdir, readFile } from 'node:fs/promises';
import type { Usage } from './target.ts';

/** Clock ticks a second of /proc: 100 on every Linux that Node runs on (USER_HZ). */
const TICKS = 100;

/**
 * Fields of /proc/<pid>/stat behind the name, which may hold anything:
 * https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */
const fieldsOf = (stat: string): readonly string[] => stat.slice(stat.lastIndexOf(')') + 2).split(' ');

/**
 * What the descendants of a process use, itself left out.
 * @returns undefined where there is no /proc, or no descendant
 */
export async function usageBelow(pid: number): Promise<Usage | undefined> {
  try {
    const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const stats = await Promise.all(
      names.map(
        async (name) => [Number(name), await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')] as const,
      ),
    );
    const known = new Map(stats.filter(([, stat]) => stat !== '').map(([id, stat]) => [id, fieldsOf(stat)]));
    const isBelow = (id: number, depth = 0): boolean => {
      const parent = Number(known.get(id)?.[1] ?? 0);
      return parent === pid || (parent > 1 && depth < 8 && isBelow(parent, depth + 1));
    };
    const below = [...known.keys()].filter((id) => isBelow(id));
    if (below.length === 0) return undefined;
    const used = await Promise.all(below.map((id) => usageOf(id, known.get(id) ?? [])));
    return used.reduce((sum, one) => ({ cpu: sum.cpu + one.cpu, memory: sum.memory + one.memory }));
  } catch {
    return undefined;
  }
}

async function usageOf(pid: number, fields: readonly string[]): Promise<Usage> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
  // utime and stime are fields 14 and 15 of all, the state is the first behind the name.
  return { cpu: (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS, memory: peak / 1024 };
}
