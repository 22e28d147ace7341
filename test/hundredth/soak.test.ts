/** The soak's parts that have a short form, at a hundredth of their size. */
import { expect, it } from 'vitest';
import { command } from './command.ts';

it.each(['batch', 'large', 'loadgen', 'quality', 'reference', 'sequences', 'traffic'])('%s', async (part) => {
  const { code, lines, progress } = await command('test/soak.ts', part, '--short');
  expect(lines, progress).toEqual([expect.stringMatching(new RegExp(`^soak ${part} .+ ok$`))]);
  expect(code).toBe(0);
});
