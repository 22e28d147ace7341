import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** How often each property is tried with other data. */
export const ROUNDS = 20;

const root = dirname(dirname(import.meta.dirname));

/**
 * Every property of pure code, with data that no run has seen: `npm test` has the same ones each time.
 *
 * @throws with the seed, and what failed
 */
export async function randomProperties(rounds: number): Promise<string> {
  const files = globSync('test/unit/**/*.test.ts', { cwd: root }).filter((file) =>
    readFileSync(join(root, file), 'utf8').includes("from 'fast-check'"),
  );
  for (let round = 0; round < rounds; round++) {
    const seed = String(randomInt(2 ** 31));
    console.error(`Round ${round + 1} of ${rounds}: FC_SEED=${seed} …`);
    const args = ['run', '--project', 'unit', '--reporter', 'dot', ...files];
    await promisify(execFile)(join(root, 'node_modules', '.bin', 'vitest'), args, {
      cwd: root,
      env: { ...process.env, FC_SEED: seed, NO_COLOR: '1' },
      maxBuffer: 64 * 1024 ** 2,
    }).catch((error: { readonly stderr?: string }) => {
      throw new Error(`FC_SEED=${seed}: ${error.stderr?.slice(0, 8000) ?? error}`);
    });
  }
  return `${files.length} files with properties, ${rounds} times with other data`;
}
