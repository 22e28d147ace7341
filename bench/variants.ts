/**
 * Packaged handlers that do more than answer, made from one that does not: the same code, another manifest.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ScoredBaseline } from '../core/drift/contract.ts';
import type { Manifest } from '../core/endpoint/contract.ts';
import { numericSignal } from '../test/reference.ts';
import { WORK } from './children.ts';
import { INPUTS, random } from './events.ts';

/** Rows of reference data; how many does not matter to the endpoint. */
const ROWS = 2000;

/**
 * @param dir folder of a packaged logistic regression
 * @param columns of its 30 that are scored
 * @returns path of the other handler, for an environment that is the first one's
 */
export const withDrift = (dir: string, columns: number): Promise<string> =>
  variant(dir, 'drift', { drift: scoredOf(columns) });

/** The same with the line that an audit has without options. */
export const withAudit = (dir: string): Promise<string> =>
  variant(dir, 'audit', { audit: { predictions: false } });

async function variant(dir: string, as: string, more: Partial<Manifest>): Promise<string> {
  const code = await readFile(join(dir, 'handler.mjs'), 'utf8');
  const [line = '', name, json] = /^const (\w+)=(\{.*\});\n/.exec(code) ?? [];
  if (name === undefined || json === undefined)
    throw new Error('The handler does not begin with its manifest.');
  const manifest: Manifest = { ...JSON.parse(json), ...more };
  const folder = join(WORK, as);
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'handler.mjs');
  await writeFile(file, `const ${name}=${JSON.stringify(manifest)};\n${code.slice(line.length)}`);
  return file;
}

function scoredOf(columns: number): ScoredBaseline {
  const numbers = random(2);
  return {
    baseline: '0123456789abcdef'.repeat(4),
    native: false,
    signals: Array.from({ length: columns }, (_, column) =>
      numericSignal(
        { name: `x${column}`, of: 'input', tensor: INPUTS.logreg.name, column },
        Array.from({ length: ROWS }, () => Math.fround(numbers.next().value * 100)),
      ),
    ),
  };
}
