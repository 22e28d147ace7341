import type { Clients } from './clients.ts';
import { KINDS } from './leftovers.ts';
import { runIn } from './names.ts';
import { during, say } from './say.ts';
import { deleteStack, stacksOfRuns } from './stacks.ts';

/** What there is of one run or of several, a line each, and what could not be looked for. */
export type Left = {
  readonly there: readonly { readonly run: string; readonly line: string }[];
  readonly unknown: readonly string[];
};

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
    (await stacksOfRuns(clients)).map(({ run, name, at }) => ({
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
  const refusals: string[] = [];
  const attempt = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      signal.throwIfAborted();
      refusals.push(`${what}: ${messageOf(error)}`);
      say(`  ${what} cannot be removed: ${messageOf(error)}`);
    }
  };
  const stacks = await stacksOfRuns(clients).catch((error: unknown) => {
    refusals.push(`stacks: ${messageOf(error)}`);
    return [];
  });
  for (const { run, name } of stacks)
    if (runs.includes(run))
      await attempt(`stack ${name}`, () =>
        during(`deleting the stack ${name}`, () => deleteStack(clients, name, signal)),
      );
  await during('looking for what is left, kind by kind', async () => {
    for (const { what, list, remove } of KINDS) {
      // What cannot be listed is told below.
      const things = await list(clients).catch(() => []);
      for (const { name, id } of things)
        if (runs.includes(runIn(name) ?? '')) await attempt(`${what} ${name}`, () => remove(clients, id));
    }
  });
  return { ...(await leftOf(clients, runs)), refusals };
}
