import { type Command, usage } from '../context/context.ts';
import { chosenModel } from '../releases/chosen.ts';
import { benchLine, withBenches } from '../releases/history/benches.ts';
import { readHistory } from '../releases/history/history.ts';
import { historyText } from '../releases/history/text.ts';

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
    const { declared, flags, print, progress } = context;
    const limit = Number(flags.limit ?? LIMIT);
    if (!Number.isInteger(limit) || limit < 1)
      throw usage('--limit', `${flags.limit} is not a number of releases.`, 'Write for example 20.');
    const { atDesk } = await import('../releases/session.ts');
    progress('Reading the history');
    const found = await atDesk(context, async ({ benches, documents, sight }) => {
      const chosen =
        typeof flags.model === 'string' ? [await chosenModel(context, documents.models)] : declared;
      return Promise.all(
        chosen.map(async (name) => {
          const pasts = await readHistory(documents, name, limit, sight.exists);
          const versions = [...new Set(pasts.flatMap(({ to }) => to ?? []))];
          return [name, withBenches(pasts, await benches.newest(name, versions))] as const;
        }),
      );
    }).finally(() => progress(undefined));
    print(
      flags.json
        ? JSON.stringify(Object.fromEntries(found), null, 2)
        : found.map(([name, pasts]) => historyText(name, pasts.map(told))).join('\n\n'),
    );
  },
};

const told = ({ bench, ...past }: ReturnType<typeof withBenches>[number]) => ({
  ...past,
  ...(bench && { bench: benchLine(bench) }),
});
