import { accountOf, clientsFor } from './clients.ts';
import { confirmed } from './confirm.ts';
import { interrupts } from './interrupt.ts';
import type { Options } from './options.ts';
import { leftLines, leftOf, removeRuns } from './remove.ts';
import { EXIT } from './run.ts';
import { during, say } from './say.ts';
import { endpointNow, isUnderWay, type State, type States } from './state.ts';

/**
 * Removes what runs have left: found by name, in the region that is asked for and in those that this
 * machine remembers. @returns the exit code
 */
export async function clean(states: States, options: Options): Promise<number> {
  const account = await accountOf(options.region).catch((error: Error) => {
    console.error(`There is no account to look at: ${error.message}`);
  });
  if (account === undefined) return EXIT.notStarted;
  const remembered = (await states.all()).filter(
    (state) => state.account === account.id && state.endpoint === endpointNow(),
  );
  const regions = new Set([
    account.region,
    ...(options.region === undefined ? remembered : []).map(({ region }) => region),
  ]);
  let worst: number = EXIT.shown;
  for (const region of regions)
    worst = Math.max(worst, await cleanRegion(region, remembered, states, options));
  return worst;
}

async function cleanRegion(
  region: string,
  remembered: readonly State[],
  states: States,
  { yes }: Options,
): Promise<number> {
  const clients = clientsFor(region);
  const interrupt = interrupts();
  try {
    const { there, unknown } = await during(`looking in ${region}`, () => leftOf(clients));
    const runs = [...new Set(there.map(({ run }) => run))];
    for (const line of unknown) say(`  could not look for ${line}`);
    if (runs.length > 0) {
      say(`Of ${runs.join(', ')} there are in ${region}:`);
      for (const { line } of there) say(`  ${line}`);
      const answer = await confirmed(
        'A run that is still under way loses its service. All of it is removed.',
        yes,
      );
      if (answer !== 'yes') {
        say(
          `Nothing was removed${answer === 'nobody' ? ': there is no terminal to ask on. --yes answers beforehand' : ''}.`,
        );
        return EXIT.left;
      }
      const left = await removeRuns(clients, runs, interrupt.signal);
      const lines = leftLines(left);
      if (lines.length > 0) {
        say(`LEFT:\n${[...lines, ...left.refusals].map((line) => `  ${line}`).join('\n')}`);
        return EXIT.left;
      }
    }
    const over = remembered.filter((state) => state.region === region && !isUnderWay(state));
    if (unknown.length === 0)
      for (const name of new Set([...runs, ...over.map((state) => state.name)])) await states.forget(name);
    say(`Nothing ${unknown.length === 0 ? '' : 'else '}is left in ${region}.`);
    return unknown.length === 0 ? EXIT.shown : EXIT.left;
  } finally {
    interrupt.done();
    clients.close();
  }
}
