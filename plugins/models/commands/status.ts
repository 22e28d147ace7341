import { messageOf } from '../../../core/errors/aws-errors.ts';
import type { Command, Context } from '../context/context.ts';
import { chosenModels } from '../releases/chosen.ts';
import type { Desk } from '../releases/session.ts';
import type { Status } from '../releases/status.ts';
import { untilInterrupted } from '../serve/interrupt.ts';

/**
 * `sls models status`: what serves what share, why, what comes next, and whether somebody must do something.
 */
export const command: Command = {
  onProblems: 'warned',
  usage: 'Show what serves what share of the traffic, and how each release stands',
  options: {
    model: { usage: 'Name of the model (default: all)', shortcut: 'm', type: 'string' },
    watch: {
      usage: 'Go on showing, and tick releases that run, until none does or you interrupt',
      type: 'boolean',
    },
    json: { usage: 'Print JSON; with --watch, a line a change', type: 'boolean' },
  },
  run: async (context) => {
    const { declared, flags, print, problems, progress, notice } = context;
    if (flags.model === undefined && declared.length === 0 && problems.length === 0)
      return flags.json
        ? print('[]')
        : notice('No model is declared. To look at one that is deployed, name it with --model.');
    const { atDesk } = await import('../releases/session.ts');
    progress('Reading releases');
    await atDesk(context, async (desk) => {
      const chosen = await chosenModels(context, desk);
      if (flags.watch !== true) return show(await read(desk, chosen), context, desk.now());
      progress(undefined);
      await watch(desk, chosen, context);
    }).finally(() => progress(undefined));
  },
};

type Models = readonly string[];

/**
 * In the order of the models. One that cannot be read fails all: half a truth is none at three in the
 * morning.
 */
const read = (desk: Pick<Desk, 'status'>, models: Models): Promise<readonly Status[]> =>
  Promise.all(models.map((model) => desk.status(model)));

async function show(
  statuses: readonly Status[],
  { flags, print }: Pick<Context, 'flags' | 'print'>,
  now: number,
): Promise<void> {
  const { statusText } = await import('../releases/status-text.ts');
  print(
    flags.json
      ? JSON.stringify(statuses, null, 2)
      : statuses.map((status) => statusText(status, now)).join('\n\n'),
  );
}

/** Milliseconds between two looks. */
const PAUSE = 3000;

/**
 * On a terminal the picture is drawn anew; elsewhere, as in the log of a CI, what has changed is added. It
 * ends once no release goes on by itself, however it ended: a script that must know waits by
 * `sls deploy --wait`, or reads the phase.
 */
export async function watch(
  desk: Pick<Desk, 'now' | 'status' | 'target'> & { readonly worker: Pick<Desk['worker'], 'tick'> },
  models: Models,
  context: Pick<Context, 'flags' | 'print' | 'notice'>,
  pause = PAUSE,
): Promise<void> {
  const { flags, print, notice } = context;
  const { statusLine } = await import('../releases/status-text.ts');
  const { isPassing, SILENT_MS } = await import('../releases/worker/worker.ts');
  const redraw = process.stdout.isTTY === true && flags.json !== true;
  const shown = new Map<string, string>();
  let interrupted = false;
  const over = new AbortController();
  const ended = untilInterrupted(over.signal).then(() => {
    interrupted = true;
  });
  let ticks = true;
  /** The models whose last tick did not get through. */
  const away = new Set<string>();
  /** Was all read once, and since when has each look failed? */
  let wasRead = false;
  let unreadSince: number | undefined;
  while (!interrupted) {
    const statuses = await read(desk, models).catch((error: unknown) => {
      const isFirst = unreadSince === undefined;
      unreadSince ??= desk.now();
      const isBrief = wasRead && desk.now() - unreadSince < SILENT_MS;
      if (interrupted || (isBrief && isPassing(error))) return { unread: messageOf(error), isFirst };
      over.abort();
      throw error;
    });
    if ('unread' in statuses) {
      // A release takes hours, and a network has its moments; what is shown stays meanwhile.
      if (statuses.isFirst && !interrupted)
        notice(`It could not be read, and is tried again: ${statuses.unread}`);
      await Promise.race([ended, new Promise((done) => setTimeout(done, pause))]);
      continue;
    }
    wasRead = true;
    unreadSince = undefined;
    if (redraw) {
      // Home, and everything below cleared:
      // https://www.ecma-international.org/publications-and-standards/standards/ecma-48/
      process.stdout.write('\u001b[H\u001b[J');
      await show(statuses, context, desk.now());
    } else
      for (const status of statuses) {
        const line = flags.json ? JSON.stringify(status) : statusLine(status);
        if (shown.get(status.model) !== line) print(line);
        shown.set(status.model, line);
      }
    if (statuses.every(({ running }) => !running)) over.abort();
    for (const { model, running } of ticks ? statuses : []) {
      if (!running) continue;
      const ticked = desk
        .target(model)
        .then(desk.worker.tick)
        .then(
          () => void away.delete(model),
          (error: unknown) => {
            // Whoever ends the watch closes what is still asked.
            if (interrupted) return;
            if (!isPassing(error)) {
              ticks = false;
              notice(`The release is watched and not ticked: ${messageOf(error)}`);
            } else if (!away.has(model)) {
              away.add(model);
              notice(`A tick of ${model} did not get through, and is tried again: ${messageOf(error)}`);
            }
          },
        );
      // A tick may take minutes, which a gate takes; who interrupts the command does not wait for it.
      await Promise.race([ended, ticked]);
      if (interrupted) return;
    }
    await Promise.race([ended, new Promise((done) => setTimeout(done, pause))]);
  }
}
