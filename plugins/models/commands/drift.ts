import { type Command, SINCE, sinceOf, usage } from '../context/context.ts';
import { wellDeclaredModels } from '../context/well-declared.ts';
import { driftText } from '../drift-report/drift-text.ts';
import { cutWords, damagedWords, lateWords } from '../drift-report/finding.ts';

/** `sls models drift`: how the traffic of each model differs from its reference data. */
export const command: Command = {
  onProblems: 'warned',
  usage: 'Show how the traffic of each model differs from its reference data',
  options: {
    model: { usage: 'Name of the model (default: all with `drift`)', shortcut: 'm', type: 'string' },
    since: { usage: `How far back, for example 2h or 7d (default: ${SINCE})`, type: 'string' },
    json: { usage: 'Print JSON: every window with every signal', type: 'boolean' },
  },
  run: async (context) => {
    const { flags, notice, print, progress } = context;
    const since = sinceOf(flags);
    const chosen = wellDeclaredModels(context);
    const models = chosen.filter(({ drift }) => drift !== undefined);
    if (models.length === 0)
      throw usage(
        'models',
        chosen.length === 1 ? `${chosen[0]?.name} declares no drift.` : 'No model declares drift.',
        'Write `drift: {baseline: <file of reference data>}` beside its artifact.',
      );
    const { readWindows } = await import('../drift-report/windows.ts');
    progress('Reading what the monitor found');
    const found = await readWindows({ ...context, models }, Date.now() - since * 1000).finally(() =>
      progress(undefined),
    );
    if (!flags.json) {
      print([...found].map(([name, seen]) => driftText(name, seen, Date.now())).join('\n\n'));
      return;
    }
    for (const [name, seen] of found) {
      for (const words of [damagedWords(seen), lateWords(seen, Date.now()), cutWords(seen)])
        if (words !== undefined) notice(`${name}: ${words}.`);
      if (seen.alarmed !== undefined) notice(`${name}: ${seen.alarmed}`);
    }
    const windows = Object.fromEntries([...found].map(([name, seen]) => [name, seen.windows]));
    print(JSON.stringify(windows, null, 2));
  },
};
