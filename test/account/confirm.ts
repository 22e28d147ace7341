import { createInterface } from 'node:readline/promises';

/**
 * Asks before anything is made or removed.
 *
 * @returns yes, no, or that nobody can be asked
 */
export async function confirmed(question: string, yes: boolean): Promise<'yes' | 'no' | 'nobody'> {
  if (yes) return 'yes';
  if (!process.stdin.isTTY || !process.stdout.isTTY) return 'nobody';
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const refused = new AbortController();
  // The terminal takes Ctrl-C, and the end of input, for itself while it asks.
  for (const event of ['SIGINT', 'close']) terminal.once(event, () => refused.abort());
  try {
    const answer = await terminal.question(`${question} Type yes to go on: `, { signal: refused.signal });
    return answer.trim().toLowerCase() === 'yes' ? 'yes' : 'no';
  } catch (error) {
    if (refused.signal.aborted) return 'no';
    throw error;
  } finally {
    terminal.close();
  }
}
