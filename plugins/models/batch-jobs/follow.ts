import type { Success } from '../../../core/batch/job.ts';
import { isPassing, SILENT_MS, sleep } from '../releases/worker/worker.ts';
import type { Cloud } from './cloud.ts';
import {
  doneByOther,
  type Followed,
  type KnownFiles,
  lookAtJob,
  type OfModel,
  type SeenJob,
  type ToldFailure,
} from './jobs.ts';

/**
 * How a job ended well, without the list of its files: who waits for a million jobs keeps one of each. `ms`:
 * that scoring took.
 */
export type Done = { readonly job: Followed } & Pick<Success, 'rows' | 'errors' | 'version'> & {
    readonly files: number;
    readonly ms: number;
    /** By another version or entry than the one that it was asked of. */
    readonly other?: true;
  };

/** How jobs ended. */
export type JobsOutcome = {
  readonly done: readonly Done[];
  readonly failed: readonly { readonly job: Followed; readonly failed: ToldFailure }[];
  /** Their objects were overwritten or deleted meanwhile. */
  readonly over: readonly Followed[];
  /** Nothing came of them, and nothing is at work any more that could. */
  readonly lost: readonly Followed[];
  /**
   * Nothing of the first of them moved for a day, although the queue is not empty: they go on without us, or
   * not at all.
   */
  readonly left: readonly Followed[];
};

/** Exit code of the command that waited. */
export const exitCode = ({ failed, lost, left }: JobsOutcome): 0 | 1 =>
  failed.length + lost.length + left.length > 0 ? 1 : 0;

/** Where a wait stands. */
export type Standing = {
  /** Jobs that have ended, of how many. */
  readonly ended: number;
  readonly of: number;
  /** The same without those that were done when they were asked for, which take no time. */
  readonly fresh: { readonly ended: number; readonly of: number };
  /** Rows of these, over all looked at. */
  readonly rows: number;
  /** The job that is being waited for, where it is in parts. */
  readonly parts?: { readonly done: number; readonly of: number };
};

/** Milliseconds between two looks. */
const PAUSE = 1_000;

/** Looks after which the object itself is looked at. */
const PATIENCE = 10;

/**
 * Looks in a row that find the queue empty, until it is taken for empty: a minute and a half, as SQS's counts
 * may lag a minute behind.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
 */
export const EMPTY = 90;

/**
 * Looks in a row without a new row of a planned job, while the queue is empty: 75 minutes, as a part waits an
 * hour for an instance.
 */
export const STILL = 4_500;

/**
 * Looks in a row without a new row of a job, whatever the queue says: a day. Where nobody reads the queue, or
 * others fill it, it is never empty.
 */
const DAY = 86_400;

/**
 * Waits for jobs, one after another, as all have to end.
 *
 * @param asked of whom, and the queue that they were asked for by
 * @param jobs as they stood before they were asked for
 * @param told at each look
 * @throws what AWS answers to a look, where it will not pass or nothing got through for minutes: jobs take
 * hours, and a network has its moments
 */
export async function followJobs(
  cloud: Pick<Cloud, 'files' | 'head' | 'objects' | 'depth'>,
  asked: OfModel & { readonly queue: string },
  jobs: readonly Followed[],
  told: (standing: Standing) => void,
  pause = PAUSE,
  longest = DAY,
  clock: () => number = Date.now,
): Promise<JobsOutcome> {
  const patiently = async <T>(look: () => Promise<T>): Promise<T> => {
    let silentSince: number | undefined;
    for (;;)
      try {
        return await look();
      } catch (error) {
        silentSince ??= clock();
        if (!isPassing(error) || clock() - silentSince >= SILENT_MS) throw error;
        await sleep(pause);
      }
  };
  const done: Done[] = [];
  const failed: { job: Followed; failed: ToldFailure }[] = [];
  const over: Followed[] = [];
  const lost: Followed[] = [];
  let left: readonly Followed[] = [];
  let rows = 0;
  const isFresh = ({ wasDone }: Followed): boolean => wasDone === undefined;
  const fresh = { ended: 0, of: jobs.filter(isFresh).length };
  // Over all jobs: who comes after a lost one need not wait as long again.
  let empty = 0;
  for (const [ended, job] of jobs.entries()) {
    if (left.length > 0) break;
    const known: KnownFiles = new Map();
    let still = 0;
    let before: SeenJob | undefined;
    for (let looks = 1; ; looks++) {
      const seen = await patiently(() => lookAtJob(cloud, job.folder, known));
      if (seen.success !== undefined) {
        if (isFresh(job)) rows += seen.success.rows;
        done.push(doneOf(job, seen.success));
        break;
      }
      if (seen.failed !== undefined && seen.failed.startedAt !== job.failedBefore) {
        failed.push({ job, failed: seen.failed });
        break;
      }
      const { waiting, atWork } = await patiently(() => cloud.depth(asked.queue));
      empty = waiting + atWork === 0 ? empty + 1 : 0;
      // Rows, too: a slow model writes a part's files one after the other.
      still = before?.rows === seen.rows && before.of === seen.of ? still + 1 : 0;
      before = seen;
      const isLost = empty >= EMPTY && still >= (seen.of === undefined ? 1 : STILL);
      if (isLost || looks % PATIENCE === 0) {
        const { bucket, key, etag } = job.object;
        if ((await patiently(() => cloud.head(bucket, key)))?.etag !== etag) {
          over.push(job);
          break;
        }
      }
      if (isLost) {
        const other = await patiently(() => doneByOther(cloud, asked, job));
        if (other === undefined) lost.push(job);
        else {
          rows += other.success.rows;
          done.push({ ...doneOf(other.job, other.success), other: true });
        }
        break;
      }
      if (still >= longest) {
        left = jobs.slice(ended);
        break;
      }
      told({
        ended,
        of: jobs.length,
        fresh: { ...fresh },
        rows: rows + seen.rows,
        ...(seen.of !== undefined && { parts: { done: seen.parts, of: seen.of } }),
      });
      await sleep(pause);
    }
    if (isFresh(job)) fresh.ended++;
  }
  return { done, failed, over, lost, left };
}

const doneOf = (job: Followed, { rows, errors, version, files }: Success): Done => ({
  job,
  rows,
  errors,
  version,
  files: files.length,
  ms: files.reduce((sum, { ms }) => sum + ms, 0),
});
