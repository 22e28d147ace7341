import type { Failed, Success } from '../../../functions/batch/job.ts';
import type { Cloud } from './cloud.ts';
import { type Followed, type JobState, stateOf } from './jobs.ts';

/** How jobs ended. */
export type Outcome = {
  readonly done: readonly { readonly job: Followed; readonly success: Success }[];
  readonly failed: readonly { readonly job: Followed; readonly failed: Failed }[];
  /** Their objects were overwritten or deleted meanwhile. */
  readonly over: readonly Followed[];
};

/** Where a wait stands. */
export type Standing = {
  /** Jobs that have ended, of how many. */
  readonly ended: number;
  readonly of: number;
  /** Rows scored since the wait began, over all jobs looked at. */
  readonly rows: number;
  /** The job that is being waited for, where it is in parts. */
  readonly parts?: { readonly done: number; readonly of: number };
};

/** Milliseconds between two looks. */
const PAUSE = 1_000;

/** Looks without a sign of life after which the object itself is looked at. */
const PATIENCE = 10;

/**
 * Waits for jobs, one after another, as all have to end.
 *
 * @param since milliseconds: what failed before is another attempt's
 * @param told at each look
 */
export async function follow(
  cloud: Pick<Cloud, 'files' | 'head'>,
  jobs: readonly Followed[],
  since: number,
  told: (standing: Standing) => void,
  pause = PAUSE,
): Promise<Outcome> {
  const done: { job: Followed; success: Success }[] = [];
  const failed: { job: Followed; failed: Failed }[] = [];
  const over: Followed[] = [];
  let rows = 0;
  for (const [ended, job] of jobs.entries()) {
    const known = new Map<string, number>();
    for (let looks = 1; ; looks++) {
      const state: JobState = await stateOf(cloud, job, since, known);
      if (state.state === 'done') {
        rows += state.success.rows;
        done.push({ job, success: state.success });
        break;
      }
      if (state.state === 'failed') {
        failed.push({ job, failed: state.failed });
        break;
      }
      if (looks % PATIENCE === 0) {
        const { bucket, key, etag } = job.object;
        if ((await cloud.head(bucket, key))?.etag !== etag) {
          over.push(job);
          break;
        }
      }
      const running = state.state === 'running' ? state : undefined;
      told({
        ended,
        of: jobs.length,
        rows: rows + (running?.rows ?? 0),
        ...(running?.of !== undefined && { parts: { done: running.parts, of: running.of } }),
      });
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return { done, failed, over };
}
