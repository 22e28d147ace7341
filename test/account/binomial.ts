/** The exact interval of a share, from a count (Clopper and Pearson, 1934). Pure. */

/** log of the probability of exactly `hits` in `tries`, at a share strictly between 0 and 1. */
function logProbability(hits: number, tries: number, share: number): number {
  let log = hits * Math.log(share) + (tries - hits) * Math.log1p(-share);
  for (let i = 1; i <= hits; i += 1) log += Math.log((tries - hits + i) / i);
  return log;
}

/** Probability of at most `hits`. */
function atMost(hits: number, tries: number, share: number): number {
  let sum = 0;
  for (let count = 0; count <= hits; count += 1) sum += Math.exp(logProbability(count, tries, share));
  return Math.min(1, sum);
}

/** Where a falling function passes `level`. */
function crossing(falling: (share: number) => number, level: number): number {
  let [low, high] = [0, 1];
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    if (falling(middle) > level) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** @param confidence for example 0.999: the true share lies outside once in a thousand runs */
export function shareInterval(
  hits: number,
  tries: number,
  confidence: number,
): { readonly low: number; readonly high: number } {
  const tail = (1 - confidence) / 2;
  return {
    low: hits === 0 ? 0 : crossing((share) => atMost(hits - 1, tries, share), 1 - tail),
    high: hits === tries ? 1 : crossing((share) => atMost(hits, tries, share), tail),
  };
}
