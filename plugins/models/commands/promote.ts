import type { Command } from '../context/context.ts';
import { SENDING, send } from '../releases/worker-command.ts';

/**
 * `sls models promote`: the candidate gets all traffic now. Its gate, and the end of the deploy, are never
 * skipped.
 */
export const command: Command = {
  onProblems: 'warned',
  usage: 'Give the candidate all traffic now, without the steps that remain',
  options: SENDING,
  run: (context) => send(context, 'promote'),
};
