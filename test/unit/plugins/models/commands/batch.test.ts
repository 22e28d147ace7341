import { expect, it } from 'vitest';
import { command } from '../../../../../plugins/models/commands/batch.ts';
import type { Context } from '../../../../../plugins/models/context/context.ts';

/** Whoever asks nothing of AWS needs no more than this. */
const run = (flags: Context['flags']): Promise<void> =>
  command.run({
    models: [{ name: 'churn', batch: { entries: [] } }],
    declared: ['churn'],
    problems: [],
    flags,
    aws: { region: 'us-east-1' },
    progress: () => {},
  } as unknown as Context);

it.each([
  [{ failed: true, redrive: true, input: 's3://rows/a.csv' }, '--input', '--failed'],
  [{ failed: true, wait: true }, '--wait', '--failed'],
  [{ adopt: true, input: 's3://rows/a.csv' }, '--input', '--adopt'],
  [{ adopt: true, failed: true }, '--failed', '--adopt'],
  [{ status: true, input: 's3://rows/', wait: true }, '--wait', '--status'],
  [{ status: true, failed: true }, '--status', '--failed'],
])('what would be left undone is refused: %o', async (flags, one, other) => {
  await expect(run(flags)).rejects.toMatchObject({
    problems: [{ code: 'MODELS_USAGE', key: one, message: `does not go with ${other}.` }],
  });
});

it.each([[{ redrive: true }], [{ redrive: true, input: 's3://rows/a.csv' }]])(
  'what failed is sent again by both options alone: %o',
  async (flags) => {
    await expect(run(flags)).rejects.toMatchObject({
      problems: [{ key: '--redrive', message: 'goes with --failed alone.' }],
    });
  },
);
