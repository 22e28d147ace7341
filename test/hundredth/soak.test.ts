/** The soak's parts that have a short form, at a hundredth of their size. */
import { expect, it } from 'vitest';
import { lackingTools, toolPath } from '../image-tools.ts';
import { command, PATIENCE_MS } from './command.ts';

const parts = ['batch', 'large', 'loadgen', 'quality', 'reference', 'sequences', 'traffic'];
// What runs images is not on every machine; `npm test` says so at its end.
if (lackingTools().length === 0 && toolPath('go') !== undefined) parts.push('image');

it.each(parts)('%s', { timeout: PATIENCE_MS }, async (part) => {
  const { code, lines, progress } = await command('test/soak.ts', part, '--short');
  expect(lines, progress).toEqual([expect.stringMatching(new RegExp(`^soak ${part} .+ ok$`))]);
  expect(code).toBe(0);
});

it('a part that has no short form is not passed over', async () => {
  const { code, lines, progress } = await command('test/soak.ts', 'crash', '--short');
  expect(progress).toContain('crash has no short form');
  expect(lines).toEqual([]);
  expect(code).toBe(2);
});
