import { type Command, usage } from '../context/context.ts';
import { SENDING, send } from '../releases/worker-command.ts';

/**
 * `sls models rollback`: takes the candidate's traffic away; without a candidate, brings the last good
 * version back, or the one that is named. What was live is refused until `sls deploy --force`.
 */
export const command: Command = {
  onProblems: 'warned',
  usage: 'Take the candidate’s traffic away, or bring an earlier version back',
  options: {
    ...SENDING,
    to: { usage: 'Version to go back to (default: the last good one)', type: 'string' },
  },
  run: async (context) => {
    const { to } = context.flags;
    if (to !== undefined && (typeof to !== 'string' || !/^[1-9]\d*$/.test(to)))
      throw usage(
        '--to',
        `${to} is not the number of a version.`,
        'Write for example 7; `sls models history` lists them.',
      );
    await send(context, 'rollback', to);
  },
};
