/** Times at which something ends, the earliest first: a binary heap. */
export type Endings = {
  readonly size: () => number;
  /** Infinity where there is none. */
  readonly first: () => number;
  readonly take: () => number;
  readonly add: (time: number) => void;
};

export function endings(): Endings {
  const times: number[] = [];
  const at = (index: number): number => times[index] ?? Number.POSITIVE_INFINITY;
  return {
    size: () => times.length,
    first: () => at(0),
    add: (time) => {
      let index = times.length;
      for (let above = (index - 1) >> 1; index > 0 && at(above) > time; above = (index - 1) >> 1) {
        times[index] = at(above);
        index = above;
      }
      times[index] = time;
    },
    take: () => {
      const first = at(0);
      const last = times.pop() ?? first;
      if (times.length === 0) return first;
      let index = 0;
      for (let below = 1; below < times.length; below = 2 * index + 1) {
        if (at(below + 1) < at(below)) below += 1;
        if (at(below) >= last) break;
        times[index] = at(below);
        index = below;
      }
      times[index] = last;
      return first;
    },
  };
}
