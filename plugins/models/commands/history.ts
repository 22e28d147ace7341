import { type Command, type Context, usage } from '../context/context.ts';
import { chosenModels } from '../releases/chosen.ts';
import { benchLine, withBenches } from '../releases/history/benches.ts';
import { historyOf } from '../releases/history/history.ts';
import { historyText, unshown } from '../releases/history/text.ts';
import type { Desk } from '../releases/session.ts';

const LIMIT = 10;

/** `sls models history`: the releases of each model, newest first: who, what, why, and how it ended. */
export const command: Command = {
  onProblems: 'warned',
  usage: 'Show the releases of each model: who, which version, what was found, how it ended',
  options: {
    model: { usage: 'Name of the model (default: all)', shortcut: 'm', type: 'string' },
    limit: { usage: `Releases of a model (default: ${LIMIT})`, type: 'string' },
    json: { usage: 'Print JSON', type: 'boolean' },
  },
  run: async (context) => {
    const { flags, print, progress, notice } = context;
    const limit = Number(flags.limit ?? LIMIT);
    if (!Number.isInteger(limit) || limit < 1)
      throw usage('--limit', `${flags.limit} is not a number of releases.`, 'Write for example 20.');
    const { atDesk } = await import('../releases/session.ts');
    progress('Reading the history');
    const found = await atDesk(context, (desk) => histories(desk, context, limit)).finally(() =>
      progress(undefined),
    );
    if (flags.json) {
      print(JSON.stringify(Object.fromEntries(found.map(({ name, pasts }) => [name, pasts])), null, 2));
      for (const { name, left } of found) for (const line of left) notice(`${name}: ${line}`);
    } else print(found.map(({ name, pasts, left }) => historyText(name, pasts.map(told), left)).join('\n\n'));
  },
};

type HistoryDesk = Pick<Desk, 'benches' | 'documents' | 'target'> & {
  readonly sight: Pick<Desk['sight'], 'exists'>;
};

/** Those of the model that `--model` names, else of all. */
export async function histories(
  desk: HistoryDesk,
  given: Pick<Context, 'declared' | 'flags'>,
  limit: number,
) {
  const { benches, documents, sight } = desk;
  return Promise.all(
    (await chosenModels(given, desk)).map(async (name) => {
      const { pasts, unread, older } = await historyOf(documents, name, limit, sight.exists);
      const versions = [...new Set(pasts.flatMap(({ to }) => to ?? []))];
      const left = unshown(name, unread, older, limit);
      return { name, pasts: withBenches(pasts, await benches.newest(name, versions)), left };
    }),
  );
}

const told = ({ bench, ...past }: ReturnType<typeof withBenches>[number]) => ({
  ...past,
  ...(bench && { bench: benchLine(bench) }),
});
