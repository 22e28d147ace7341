import { messageOf } from '../../../core/errors/aws-errors.ts';
import type { CommandEvent, TickAnswer } from '../../../core/release/document/worker-contract.ts';
import { withStop } from '../../../core/text/stop.ts';
import { type Context, mustName } from '../context/context.ts';
import { problemError } from '../problems/errors.ts';
import { chosenModel } from './chosen.ts';
import { statusText } from './status-text.ts';

/** Options of every verb that changes a release. */
export const SENDING = {
  model: { usage: 'Name of the model (default: the only one)', shortcut: 'm', type: 'string' },
  reason: { usage: 'Why, for the history and for whoever is told', type: 'string' },
  json: { usage: 'Print JSON', type: 'boolean' },
} as const;

/**
 * Asks the release worker, in the caller's name, and prints what happened and how the release stands then.
 * @throws ProblemError where the release does not allow it
 */
export async function send(
  context: Context,
  verb: CommandEvent['command']['verb'],
  to?: string,
): Promise<void> {
  const { flags, print, progress, service } = context;
  mustName(context);
  // Loaded when one of these verbs is run: the framework asks for the options of all of them at once.
  const { atDesk, sayOf } = await import('./session.ts');
  const reason = typeof flags.reason === 'string' ? { reason: flags.reason } : {};
  await atDesk(context, async ({ by, documents, worker, target, status, now }) => {
    const model = await chosenModel(context, documents.models);
    progress(`${model}: ${verb}`);
    const answer = await worker.command({
      verb,
      ...(await target(model)),
      by,
      ...reason,
      ...(to !== undefined && { to }),
    });
    if (!answer.done) throw notAllowed(model, verb, answer.refused, sayOf(model, service.stage)('status'));
    const { text: done, tick } = answer;
    // Who may invoke the worker and read nothing, or is throttled now, has done it all the same.
    const stands = await status(model).then(
      (found) => ({ json: { status: found }, text: statusText(found, now()) }),
      (error: unknown) => {
        const unreadable = messageOf(error);
        return {
          json: { unreadable },
          text: `How it stands now cannot be read: ${withStop(unreadable)} It was done all the same.`,
        };
      },
    );
    print(
      flags.json ? JSON.stringify({ done, ...stands.json }, null, 2) : `${model}: ${done}.\n\n${stands.text}`,
    );
    if (!isStopped(verb, tick)) return;
    if (flags.json) process.exitCode = 1;
    else throw stopped(model, verb, tick.reason ?? tick.phase, sayOf(model, service.stage)('status'));
  }).finally(() => progress(undefined));
}

const notAllowed = (model: string, verb: string, refused: string, see: string): Error =>
  problemError([
    {
      code: 'MODELS_RELEASE_REFUSED',
      key: `models.${model}`,
      message: `${verb} was refused, and nothing was changed: ${withStop(refused)}`,
      fix: `See \`${see}\`.`,
    },
  ]);

/** It was written down, and AWS did not take the move that follows from it. */
const isStopped = (verb: CommandEvent['command']['verb'], { phase }: TickAnswer): boolean =>
  (verb !== 'hold' && phase === 'HELD') ||
  (verb === 'promote' && (phase === 'ABORTED' || phase === 'ROLLED_BACK'));

const stopped = (model: string, verb: string, reason: string, see: string): Error =>
  problemError([
    {
      code: 'MODELS_AWS',
      key: `models.${model}`,
      message: `${verb} was begun, and did not get through: ${withStop(reason)}`,
      fix: `See \`${see}\`.`,
    },
  ]);
