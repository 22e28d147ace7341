/**
 * How large a task or instance is that holds a process of so many MB, or several of them. Pure arithmetic.
 */

/**
 * Tasks of Fargate, in GB, and what these go up by:
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
 */
const TASKS = [
  { vcpu: 1, least: 2, most: 8, step: 1 },
  { vcpu: 2, least: 4, most: 16, step: 1 },
  { vcpu: 4, least: 8, most: 30, step: 1 },
  { vcpu: 8, least: 16, most: 60, step: 4 },
  { vcpu: 16, least: 32, most: 120, step: 8 },
] as const;
export const MOST_TASK_MB = 120 * 1024;

export type Task = { readonly vcpu: number; readonly gb: number; readonly slots: number };

/** The smallest task that holds one process; as many more as fit, one for each of its processors. */
export function taskFor(memory: number): Task | undefined {
  const size = TASKS.find(({ most }) => memory <= most * 1024);
  if (size === undefined) return undefined;
  const gb = Math.max(size.least, size.step * Math.ceil(memory / 1024 / size.step));
  return { vcpu: size.vcpu, gb, slots: slotsIn(size.vcpu, gb, memory) };
}

/**
 * A c7g.large or c7i.large: two processors, 4 GB. Larger ones have both times a power of two, and its price.
 */
const LARGE = { vcpu: 2, gb: 4 } as const;
/** 32 times: a c7g.16xlarge, the largest of its kind. */
const MOST_TIMES = 32;
export const MOST_INSTANCE_MB = MOST_TIMES * LARGE.gb * 1024;

export type Instance = { readonly times: number; readonly vcpu: number; readonly slots: number };

export function instanceFor(memory: number): Instance | undefined {
  for (let times = 1; times <= MOST_TIMES; times *= 2)
    if (memory <= times * LARGE.gb * 1024) {
      const vcpu = times * LARGE.vcpu;
      return { times, vcpu, slots: slotsIn(vcpu, times * LARGE.gb, memory) };
    }
  return undefined;
}

/** Requests at once: a process each, with a thread and the model of its own. */
const slotsIn = (vcpu: number, gb: number, memory: number): number =>
  Math.max(1, Math.min(vcpu, Math.floor((gb * 1024) / memory)));
