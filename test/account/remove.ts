import { setTimeout as pause } from 'node:timers/promises';
import type { Clients } from './clients.ts';
import { KINDS } from './leftovers.ts';
import { runIn, stackOf } from './names.ts';
import { during, say } from './say.ts';
import { deleteStack, stacksOfRuns } from './stacks.ts';

/** What there is of one run or of several, a line each, and what could not be looked for. */
export type Left = {
  readonly there: readonly { readonly run: string; readonly line: string }[];
  readonly unknown: readonly string[];
};

/** A line for each thing that is there, and for what may be; none where nothing is. */
export const leftLines = ({ there, unknown }: Left): readonly string[] => [
  ...there.map(({ line }) => line),
  ...unknown.map((line) => `not looked for: ${line}`),
];

/**
 * How often it looks and removes, and the seconds between: lists are behind, and deletions take a while. That
 * of a queue takes a minute:
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html
 */
const PASSES = 7;
const APART = 15;

const messageOf = (error: unknown): string =>
  (error instanceof Error ? `${error.name}: ${error.message}` : String(error))
    .replace(/\s+/g, ' ')
    .slice(0, 300);

/** Looks for everything of these runs, or of any. */
export async function leftOf(clients: Clients, runs?: readonly string[]): Promise<Left> {
  const there: { run: string; line: string }[] = [];
  const unknown: string[] = [];
  const look = async (
    what: string,
    list: () => Promise<readonly { run: string | undefined; line: string }[]>,
  ) => {
    try {
      for (const { run, line } of await list())
        if (run !== undefined && (runs === undefined || runs.includes(run))) there.push({ run, line });
    } catch (error) {
      unknown.push(`${what}: ${messageOf(error)}`);
    }
  };
  await look('stacks', async () =>
    (await stacksOfRuns(clients, runs)).map(({ run, name, at }) => ({
      run,
      line: `stack ${name}${at === undefined ? '' : `, made ${at.toISOString()}`}`,
    })),
  );
  for (const { what, list } of KINDS)
    await look(`${what}s`, async () =>
      (await list(clients)).map(({ name }) => ({ run: runIn(name), line: `${what} ${name}` })),
    );
  return { there, unknown };
}

/**
 * Removes everything of these runs: their stacks, then what is found by name.
 *
 * @returns what is left, and the reasons that AWS gave
 */
export async function removeRuns(
  clients: Clients,
  runs: readonly string[],
  signal: AbortSignal,
): Promise<Left & { readonly refusals: readonly string[] }> {
  const refused = new Map<string, string>();
  const attempt = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
      refused.delete(what);
    } catch (error) {
      signal.throwIfAborted();
      const why = messageOf(error);
      if (refused.get(what) !== why) say(`  ${what} cannot be removed: ${why}`);
      refused.set(what, why);
    }
  };
  for (const run of runs) {
    const name = stackOf(run);
    await attempt(`stack ${name}`, async () => {
      if ((await stacksOfRuns(clients, [run])).length > 0)
        await during(`deleting the stack ${name}`, () => deleteStack(clients, name, signal));
    });
  }
  return during('looking for what is left, kind by kind', async () => {
    for (let pass = 1; ; pass += 1) {
      for (const { what, list, remove } of KINDS) {
        // What cannot be listed is told below.
        const things = await list(clients).catch(() => []);
        for (const { name, id } of things)
          if (runs.includes(runIn(name) ?? '')) await attempt(`${what} ${name}`, () => remove(clients, id));
      }
      const left = await leftOf(clients, runs);
      if (leftLines(left).length === 0 || pass === PASSES)
        return { ...left, refusals: [...refused].map(([what, why]) => `${what}: ${why}`) };
      await pause(APART * 1000, undefined, { signal });
    }
  });
}
