import type { Failure } from '../../../aws/queue-messages.ts';
import { wholeNumber } from '../../../core/judge/format.ts';
import { plainText } from '../../../core/text/plain.ts';
import { withStop } from '../../../core/text/stop.ts';
import { dollarFigure } from '../../../core/units/dollars.ts';
import type { Model } from '../declaration/model.ts';
import { batchMemory } from '../plan/batch/functions.ts';
import { PRICES } from '../plan/shared/prices.ts';
import { clockOf, span } from '../releases/words/time.ts';
import type { Done, JobsOutcome, Standing } from './follow.ts';
import type { Followed, JobState } from './jobs.ts';

/** Who may upload an object chooses its key: a terminal would obey what is in it. */
const shownObject = ({ bucket, key }: { readonly bucket: string; readonly key: string }): string =>
  plainText(`s3://${bucket}/${key}`);

/** Reasons quote names of the object's columns. */
const whyText = ({ code, reason }: { readonly code: string; readonly reason: string }): string =>
  plainText(`${code}. ${reason}`);

const some = (value: number, one: string): string => `${wholeNumber(value)} ${one}${value === 1 ? '' : 's'}`;

/** @param ms since the wait began */
export function standingLine({ ended, of, fresh, rows, parts }: Standing, ms: number): string {
  const rate = rows > 0 && ms > 0 ? `, ${rateOf(rows / (ms / 1000))} rows/s` : '';
  const begun = parts === undefined ? 0 : parts.done / Math.max(1, parts.of);
  const share = (fresh.ended + begun) / fresh.of;
  const left = share > 0 && share < 1 ? `, about ${span((ms * (1 - share)) / share)} left` : '';
  const where = parts === undefined ? '' : `, part ${parts.done} of ${parts.of}`;
  return `${ended} of ${some(of, 'object')} done${where}, ${some(rows, 'row')}${rate}${left}`;
}

/** A slow model takes seconds for a row: that is no rate of 0. */
const rateOf = (perSecond: number): string =>
  perSecond < 10 ? String(Number(perSecond.toPrecision(2))) : wholeNumber(perSecond);

/** One small object costs less than a millionth, large ones hundreds. */
const dollars = (amount: number): string => dollarFigure(amount, 2);

/**
 * What jobs cost, in dollars: Lambda’s time and requests. Reading and writing S3, and the queue, are not in
 * it.
 */
function costOf(done: readonly Pick<Done, 'ms' | 'files'>[], model: Model): number {
  const seconds = done.reduce((sum, { ms }) => sum + ms, 0) / 1000;
  const requests = done.reduce((sum, { files }) => sum + 1 + files, 0);
  return (
    seconds * (batchMemory(model) / 1024) * PRICES.gbSecond[model.architecture] + requests * PRICES.request
  );
}

/** @param ms that it took */
export function outcomeText(
  { done, failed, over, lost, left }: JobsOutcome,
  model: Model,
  ms: number,
): string {
  const rows = done.reduce((sum, one) => sum + one.rows, 0);
  const errors = done.reduce((sum, one) => sum + one.errors, 0);
  const fresh = done.filter(({ job }) => job.wasDone === undefined);
  const before = done.length - fresh.length;
  const already = before === 0 ? '' : ` (${wholeNumber(before)} of them before)`;
  const lines = [
    `${some(done.length, 'object')} scored${already}: ${some(rows, 'row')}, ${wholeNumber(errors)} of them faulty, in ${span(ms)}; about ${dollars(costOf(fresh, model))} (Lambda only).`,
  ];
  const others = done.filter(({ other }) => other).length;
  if (others > 0)
    lines.push(`- ${others} of them by another version or entry, which became live while they waited.`);
  for (const { job, rows: own, files } of done.slice(0, SHOWN))
    lines.push(
      `  ${shownObject(job.object)} → s3://${job.folder.bucket}/${job.folder.prefix} (${some(own, 'row')}, ${some(files, 'file')})`,
    );
  if (done.length > SHOWN) lines.push(`  … and ${wholeNumber(done.length - SHOWN)} more`);
  for (const { job, failed: why } of failed) lines.push(`! ${shownObject(job.object)}: ${whyText(why)}`);
  for (const { object } of over) lines.push(`- ${shownObject(object)} was overwritten or deleted meanwhile.`);
  for (const { object } of lost)
    lines.push(
      `! ${shownObject(object)}: no outcome, and nothing seems to be at work on it; see \`sls models batch --failed\` and the function’s log.`,
    );
  const [first] = left;
  if (first !== undefined)
    lines.push(
      `! ${shownObject(first.object)}: not a row of it was scored for a day, so this command waits no longer for it${left.length > 1 ? `, nor for ${some(left.length - 1, 'object')} after it` : ''}. See \`sls models batch --model ${model.name} --status\`: does a function read the queue, and are other objects before it?`,
    );
  return lines.join('\n');
}

/** Objects that are listed one by one. */
const SHOWN = 10;

/** @param id of the trigger that somebody has switched off */
export const offLine = (id: string, region: string): string =>
  `Nothing reads the queue: its trigger is switched off, and a deploy leaves it so. \`aws lambda update-event-source-mapping --uuid ${id} --enabled --region ${region}\` switches it on.`;

/** @param large whether a large object is scored in parts, or why that cannot be read */
export function partsLine(large: boolean | string): readonly string[] {
  if (large === false) return [];
  return large === true
    ? ['A large object is scored in parts now, which is in no queue: --input shows how far it is.']
    : [`Whether a large object is scored in parts now cannot be read: ${withStop(large)}`];
}

/** A job as `--status` shows it. */
export function stateLine({ object }: Followed, state: JobState, now: number): string {
  const name = shownObject(object);
  switch (state.state) {
    case 'waiting':
      return state.other === undefined
        ? `${name}: nothing of it is scored yet`
        : `${name}: done at ${clockOf(state.other.finishedAt, now)} by another version or entry (${plainText(state.other.job)}); the live one has scored nothing of it`;
    case 'running':
      return `${name}: ${state.of === undefined ? some(state.parts, 'part') : `${state.parts} of ${state.of} parts`} scored, ${some(state.rows, 'row')}${state.failed === undefined ? '' : `; before that, at ${clockOf(state.failed.failedAt, now)}, it failed: ${whyText(state.failed)}`}`;
    case 'done': {
      const { rows, errors, files, startedAt, finishedAt, version } = state.success;
      const took = Date.parse(finishedAt) - Date.parse(startedAt);
      return `${name}: done at ${clockOf(finishedAt, now)} by version ${version}, ${some(rows, 'row')} (${wholeNumber(errors)} faulty) in ${some(files.length, 'file')}, ${span(took)}`;
    }
    case 'failed':
      return `${name}: failed at ${clockOf(state.failed.failedAt, now)}: ${whyText(state.failed)}`;
  }
}

export function failureText(failures: readonly Failure[], now: number): string {
  if (failures.length === 0) return 'Nothing failed.';
  return failures
    .map(({ body, code, reason, sentAt }) => {
      // SQS itself put it there, and says nothing.
      const why =
        code === undefined
          ? 'it was tried until SQS gave it up: the function crashed, ran out of time or memory, or could not be invoked; its log says more'
          : whyText({ code, reason: reason ?? '' });
      return `${clockOf(sentAt, now)}  ${objectIn(body)}: ${why}`;
    })
    .join('\n');
}

/** The object that a message is about, as it is shown. */
export function objectIn(body: string): string {
  try {
    const { object, detail } = JSON.parse(body);
    const bucket = object?.bucket ?? detail?.bucket?.name;
    const key = object?.key ?? detail?.object?.key;
    if (typeof bucket === 'string' && typeof key === 'string') return shownObject({ bucket, key });
  } catch {
    // Not ours.
  }
  return 'a message that is not ours';
}
