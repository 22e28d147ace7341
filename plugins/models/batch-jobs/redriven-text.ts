import type { Failure } from '../../../aws/queue-messages.ts';
import type { Entry } from '../../../core/batch/contract.ts';
import { entryFor } from '../../../core/batch/job.ts';
import { readMessage } from '../../../core/batch/message.ts';
import type { Model } from '../declaration/model.ts';
import { objectIn } from './text.ts';

/**
 * What becomes of messages that are sent again: an entry that took an object may be gone from serverless.yml
 * since it failed.
 */

/** Is the message about an object of one of these entries? What is about none is never scored. */
export function isTaken(entries: readonly Entry[], { body }: Pick<Failure, 'body'>): boolean {
  const asked = readMessage(body);
  return asked !== undefined && entryFor(entries, asked.bucket, asked.key) >= 0;
}

/** What is printed after `--redrive`. */
export function redrivenText(failures: readonly Failure[], model: Model): string {
  const { taken, others, foreign } = sorted(failures, model);
  return [
    ...(taken.length > 0 ? [`${taken.length} tried again.`] : []),
    ...(others.length > 0
      ? [
          `${others.length} sent again, but no entry under models.${model.name}.batch takes ${named(others)}. Where the live version has none either, nothing scores ${them(others)}: ${they(others)} for a day for a version that has one, then \`--failed\` lists ${them(others)} as NO_ENTRY. To have ${them(others)} scored, write the entry again and run \`sls deploy\` before that.`,
        ]
      : []),
    ...(foreign.length > 0
      ? [
          `${foreign.length} sent again, but about no object: \`--failed\` lists ${them(foreign)} as UNKNOWN_MESSAGE again.`,
        ]
      : []),
  ].join('\n');
}

/** What is printed after `--failed`: what `--redrive` would do. */
export function redriveHint(failures: readonly Failure[], model: Model): string {
  const { others } = sorted(failures, model);
  return [
    '`--redrive` tries all of it again, once its cause is fixed.',
    ...(others.length > 0
      ? [
          `No entry under models.${model.name}.batch takes ${named(others)}: write it again and run \`sls deploy\` first, else nothing scores ${them(others)}.`,
        ]
      : []),
  ].join('\n');
}

/** Printed where the queue has messages that the command did not get in the time that it waits. */
export const heldText = (held: number): string =>
  `${held} more ${held === 1 ? 'message is' : 'messages are'} held by another \`--failed\` or \`--redrive\`, or came just now, and not among these. Run this again once that has ended; what an interrupted one holds comes back by itself, within 12 hours.`;

function sorted(failures: readonly Failure[], { batch }: Model) {
  const [taken, others, foreign]: [Failure[], Failure[], Failure[]] = [[], [], []];
  for (const failure of failures) {
    if (readMessage(failure.body) === undefined) foreign.push(failure);
    else (isTaken(batch?.entries ?? [], failure) ? taken : others).push(failure);
  }
  return { taken, others, foreign };
}

/** Objects that a sentence names. */
const NAMED = 3;

/** The event and the order of one object are two messages. */
function named(failures: readonly Failure[]): string {
  const objects = [...new Set(failures.map(({ body }) => objectIn(body)))];
  const more = objects.length > NAMED ? ` and ${objects.length - NAMED} more` : '';
  return `${objects.slice(0, NAMED).join(', ')}${more}`;
}

const them = ({ length }: readonly Failure[]): string => (length === 1 ? 'it' : 'them');
const they = ({ length }: readonly Failure[]): string => (length === 1 ? 'it waits' : 'they wait');
