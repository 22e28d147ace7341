import type { Command } from '../context/context.ts';
import { SENDING, send } from '../releases/worker-command.ts';

/** `sls models resume`: a held release goes on from where it was held. */
export const command: Command = {
  onProblems: 'warned',
  usage: 'Let a held release go on with its steps',
  options: SENDING,
  run: (context) => send(context, 'resume'),
};
