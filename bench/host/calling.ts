/** Asks servers as many callers do, from processes of their own. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { ModelName } from '../events.ts';
import type { Called, CallTask } from './caller.ts';
import { bodyOf, pathOf } from './servers.ts';

type How =
  | { readonly callers: number }
  | { readonly rate: number; readonly connections: number }
  | { readonly pause: number };

export const inferences = (
  port: number,
  model: ModelName,
  ms: number,
  how: How,
  settle = 0,
): Promise<Called> => call({ port, path: pathOf(model), body: bodyOf(model), ms, settle, ...how });

/** Each on a connection of its own, as an orchestrator’s are. */
export const probes = (port: number, ms: number, settle = 0): Promise<Called> =>
  call({ port, path: '/v2/health/live', ms, settle, pause: 10 });

async function call(task: CallTask): Promise<Called> {
  const args = [join(import.meta.dirname, 'caller.ts'), JSON.stringify(task)];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: task.ms + (task.settle ?? 0) + 60_000,
    killSignal: 'SIGKILL',
  });
  let text = '';
  for await (const chunk of child.stdout) text += chunk;
  if (text === '') throw new Error('callers ended without a word');
  return JSON.parse(text) as Called;
}
