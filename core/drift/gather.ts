import { type Baseline, MONITOR_TIMEOUT, type Watched } from './contract.ts';
import { readLine } from './lines.ts';
import type { DriftWorld } from './ports.ts';
import { type Adder, createSums, type Sums } from './sums.ts';
import type { Span } from './windows.ts';

/** Baselines in a window: a canary's, a rollback's; more than a few are forged. */
const MOST_BASELINES = 8;
/** Milliseconds that an invocation needs after the last page. */
export const MARGIN = 10_000;
/** Milliseconds of a run with which its log is to be blamed, and not what the run did before. */
const MOST_OF_IT = 0.75 * MONITOR_TIMEOUT * 1000;

/** What a window's log holds of one baseline. */
export type BaselineRows = { readonly sums: Sums; readonly baseline: Baseline | undefined };

export type Gathered = {
  /** Most rows first. */
  readonly groups: readonly BaselineRows[];
  /** Lines that look like ours and are not. */
  readonly skipped: number;
};

/**
 * Adds up a window's lines, keeping none.
 * @returns undefined where the rest of the run's time was too short for them
 * @throws Error where they cannot all be read, in most of a run's time or at all
 */
export async function gatherRows(
  world: DriftWorld,
  watched: Watched,
  { from, to }: Span,
): Promise<Gathered | undefined> {
  const begun = world.left();
  const groups = new Map<string, { readonly adder: Adder; readonly baseline: Baseline | undefined }>();
  let skipped = 0;
  for await (const page of linesOf(world, watched, { from, to })) {
    for (const message of page) {
      const line = readLine(message);
      let group = line && groups.get(line.drift);
      if (line !== undefined && group === undefined && groups.size < MOST_BASELINES) {
        const baseline = await world.baseline(line.drift);
        group = { adder: createSums(line.drift, baseline), baseline };
        groups.set(line.drift, group);
      }
      if (line === undefined || !group?.adder.add(line)) skipped += 1;
    }
    // A part of the lines would be another sample than the window's.
    if (world.left() >= MARGIN) continue;
    if (begun < MOST_OF_IT) return undefined;
    throw new Error(
      'the log has more lines than one run can read in its time; a smaller `drift.sample` has fewer, and so has a shorter `drift.window`',
    );
  }
  const found = [...groups.values()].map(({ adder, baseline }) => ({ sums: adder.sums(), baseline }));
  return { groups: found.filter(({ sums }) => sums.requests > 0).sort(byRows), skipped };
}

async function* linesOf(
  { logs }: DriftWorld,
  { logGroup, batchLogGroup }: Watched,
  { from, to }: Span,
): AsyncGenerator<readonly string[]> {
  // Both functions may write into one group, which the user names.
  for (const group of new Set([logGroup, batchLogGroup]))
    if (group !== undefined) yield* logs.lines(group, 'drift', from, to);
}

const byRows = ({ sums: one }: BaselineRows, { sums: other }: BaselineRows): number =>
  other.rows - one.rows || (one.baseline < other.baseline ? -1 : 1);
