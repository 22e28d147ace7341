import { describe, expect, it } from 'vitest';
import type { Context } from '../../plugins/models/commands/command.ts';
import { command } from '../../plugins/models/commands/invoke.ts';
import { parseModels } from '../../plugins/models/parse.ts';

const { models } = parseModels({ churn: { artifact: 'churn.onnx' } });

/** Refusals come before anything but these is looked at. */
const asked = (flags: Context['flags']): Promise<void> =>
  command.run({ models, flags, service: { dir: '/' } } as unknown as Context);

describe('sls models invoke', () => {
  it.each([
    [
      'a request beyond what Lambda takes',
      { data: `"${'é'.repeat(3 * 2 ** 20)}"` },
      /--data: has 6\.0 MB;.* 6 MB/,
    ],
    ['what is no JSON', { data: '{oops' }, /--data: is not JSON/],
    ['a model that is not there', { model: 'nope', data: '{}' }, /--model: nope .* Name one of churn/],
    ['a file that is not there', { path: 'no/such/file.json' }, /--path: cannot be read/],
  ])('refuses %s, and says so before asking AWS', async (_, flags, message) => {
    await expect(asked(flags)).rejects.toThrow(message);
  });
});
