import type { Command } from '../context/context.ts';
import { SENDING, send } from '../releases/worker-command.ts';

/**
 * `sls models hold`: the weight stands until somebody decides; a candidate that fails meanwhile is rolled
 * back all the same.
 */
export const command: Command = {
  onProblems: 'warned',
  usage: 'Keep the candidate at its weight until you decide',
  options: SENDING,
  run: (context) => send(context, 'hold'),
};
