/** More values than this are first averaged in groups: the work grows with the square otherwise. */
const MOST = 20_000;
/** Sokal's window: sum up to so many correlation times, beyond which there is noise alone. */
const WINDOW = 5;

/**
 * How many values in a row count as one independent one: the integrated autocorrelation time. Latencies of
 * requests that queue are alike for as long as the queue lasts.
 * A. Sokal, Monte Carlo Methods in Statistical Mechanics, 1996, section 3.
 *
 * @param runs values of independent runs of the same process, each in the order of time
 * @returns at least 1
 */
export function correlationTime(runs: readonly Float64Array[]): number {
  const count = runs.reduce((sum, run) => sum + run.length, 0);
  const group = Math.max(1, Math.ceil(count / MOST));
  const series = runs.map((run) => grouped(run, group));
  const values = series.reduce((sum, run) => sum + run.length, 0);
  const mean = series.reduce((sum, run) => sum + run.reduce((a, b) => a + b, 0), 0) / values;
  const around = series.map((run) => run.map((value) => value - mean));
  const variance = covariance(around, 0);
  if (!(variance > 0)) return 1;
  const longest = Math.floor(Math.min(...series.map(({ length }) => length)) / 2);
  let time = 1;
  for (let lag = 1; lag < longest; lag += 1) {
    time += (2 * covariance(around, lag)) / variance;
    if (lag >= WINDOW * time) return group * Math.max(1, time);
  }
  // Correlated over as long as the runs are.
  return group * Math.max(1, time, longest / WINDOW);
}

function grouped(run: Float64Array, group: number): Float64Array {
  if (group === 1) return run;
  return Float64Array.from({ length: Math.floor(run.length / group) }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < group; k += 1) sum += run[i * group + k] ?? 0;
    return sum / group;
  });
}

function covariance(series: readonly Float64Array[], lag: number): number {
  let [sum, pairs] = [0, 0];
  for (const run of series) {
    for (let i = lag; i < run.length; i += 1) sum += (run[i] ?? 0) * (run[i - lag] ?? 0);
    pairs += Math.max(0, run.length - lag);
  }
  return pairs === 0 ? 0 : sum / pairs;
}
