import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { BenchDocument } from '../../core/capacity/contract.ts';
import { expect, type Terminal, title } from './terminal.ts';

/** Characters of the longest bar. */
const WIDTH = 40;

/**
 * About ten rates of a second each on this machine, and the curve that they make. Whether they are VALID is
 * not asked: a machine that is busy beside this makes the generator late, and the output says so.
 */
export async function bench(root: string, { sls }: Pick<Terminal, 'sls'>): Promise<void> {
  title('17. What load it holds on this machine: ten seconds, rate by rate');
  const folder = join(root, '.local', 'bench-demo');
  const asked = ['--model', 'employment', '--scenario', 'Server', '--rate', '100', '--curve'];
  const short = ['--duration', '1', '--runs', '1', '--output', relative(root, folder)];
  await sls(['models', 'bench', ...asked, ...short], { code: [0, 1], brief: true });
  const { curve } = JSON.parse(await readFile(join(folder, 'bench.json'), 'utf8')) as BenchDocument;
  const points = curve?.points ?? [];
  expect(points.length > 1, 'a curve of several rates');
  const longest = Math.max(...points.map(({ latency }) => latency ?? 0));
  console.log('  asked       p99');
  for (const { rate, latency = 0, keptUp } of points) {
    const bar = '█'.repeat(Math.max(1, Math.round((WIDTH * latency) / longest)));
    const told = keptUp ? '' : ' it falls behind';
    console.log(
      `${`${Math.round(rate)}/s`.padStart(7)} ${`${latency.toFixed(1)} ms`.padStart(9)}  ${bar}${told}`,
    );
  }
}
