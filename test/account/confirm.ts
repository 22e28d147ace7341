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
  try {
    const answer = await terminal.question(`${question} Type yes to go on: `);
    return answer.trim().toLowerCase() === 'yes' ? 'yes' : 'no';
  } finally {
    terminal.close();
  }
}
