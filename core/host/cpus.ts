/** What the kernel’s files say of this process’s share of the processors; each absent where there is none. */
export type CpuTexts = {
  /** `cpu.max` of cgroup v2, of its own group and of each above it. */
  readonly max: readonly string[];
  /** `cpu.cfs_quota_us` and `cpu.cfs_period_us` of cgroup v1, likewise. */
  readonly cfs: readonly { readonly quota: string; readonly period: string }[];
};

/**
 * Whole processors that may be used: the narrowest limit counts. What is left of a part serves the front.
 * https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files,
 * https://docs.kernel.org/scheduler/sched-bwc.html
 * @param online processors that there are, by the kernel’s scheduler
 * @returns at least 1
 */
export function cpusOf({ max, cfs }: CpuTexts, online: number): number {
  const limits = [
    ...max.map((text) => {
      const [quota = '', period = ''] = text.trim().split(/\s+/);
      return share(quota, period);
    }),
    ...cfs.map(({ quota, period }) => share(quota.trim(), period.trim())),
  ];
  return Math.max(1, Math.floor(Math.min(online, ...limits)));
}

/** `max`, -1 and whatever is no number of microseconds: no limit. */
function share(quota: string, period: string): number {
  if (!/^\d+$/.test(quota) || !/^\d+$/.test(period)) return Number.POSITIVE_INFINITY;
  const parts = Number(quota) / Number(period);
  return parts > 0 && Number.isFinite(parts) ? parts : Number.POSITIVE_INFINITY;
}

/**
 * Folders of the groups that this process is in, from the root’s to its own, below where they are mounted.
 * @param text of `/proc/self/cgroup`: https://man7.org/linux/man-pages/man7/cgroups.7.html
 */
export function groupsIn(text: string): { readonly v2: readonly string[]; readonly v1: readonly string[] } {
  const lines = text.split('\n').map((line) => /^(\d+):([^:]*):(\/.*)$/.exec(line));
  const v2 = lines.find((line) => line?.[1] === '0' && line[2] === '')?.[3];
  const v1 = lines.find((line) => line?.[2]?.split(',').includes('cpu'))?.[3];
  return { v2: above(v2), v1: above(v1) };
}

function above(path: string | undefined): readonly string[] {
  if (path === undefined) return [];
  const parts = path.split('/').filter((part) => part !== '' && part !== '..');
  return ['', ...parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)];
}
