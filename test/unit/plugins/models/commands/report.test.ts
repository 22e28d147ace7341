import { expect, it } from 'vitest';
import { keptOf, pageOf } from '../../../../../plugins/models/commands/report.ts';
import { readHistory } from '../../../../../plugins/models/releases/history/history.ts';
import { FUNCTION } from '../../../../fakes/world.ts';
import { deployed } from '../../../core/release/traffic.ts';

it('shows no release as under way whose function is gone', async () => {
  const w = await deployed();
  const outcome = async (exists: boolean) => {
    const desk = {
      documents: w.world.registry,
      benches: { newest: async () => [] } as never,
      sight: { exists: async () => exists, aliases: w.aliases.port },
    };
    return (await keptOf(desk, 'churn', FUNCTION)).releases[0]?.outcome;
  };
  expect(await outcome(true)).toBe('under way');
  expect(await outcome(false)).toBe('under way when the model was removed');
});

it('shows no bench of what a function of the same name had before', async () => {
  const w = await deployed();
  const [release] = await readHistory(w.world.registry, 'churn', 1);
  const seen = async (later: number) => {
    const at = new Date(Date.parse(release?.startedAt ?? '') + later).toISOString();
    const desk = {
      documents: w.world.registry,
      benches: { newest: async () => [{ at, target: { version: release?.to } }] } as never,
      sight: { exists: async () => true, aliases: w.aliases.port },
    };
    return (await keptOf(desk, 'churn', FUNCTION)).benches.length;
  };
  expect(await seen(1)).toBe(1);
  expect(await seen(-1)).toBe(0);
});

it('says which releases it does not show, and how to see them', async () => {
  const w = await deployed();
  const desk = {
    documents: {
      ...w.world.registry,
      archives: async () => Array.from({ length: 24 }, (_, i) => `20200101T00000000${i}Z-x${i}`),
    },
    benches: { newest: async () => [] } as never,
    sight: { exists: async () => true, aliases: w.aliases.port },
  };
  const { left, releases } = await keptOf(desk, 'churn', FUNCTION);
  expect(left).toEqual([
    '19 releases cannot be read: a newer version of the plugin wrote them, or they are damaged.',
    '5 older releases are not shown here: `sls models history --model churn --limit 25` shows all.',
  ]);
  const page = (of: readonly string[], shown = releases) =>
    pageOf(
      { service: 's', stage: 'dev', region: 'eu-central-1', from: 0, to: 1 },
      [{ model: 'churn', functionName: 'f', releases: shown, left: of }],
      { stage: 'dev' },
    );
  expect(page(left)).toContain('5 older releases are not shown here: &#96;sls models history --model churn');
  expect(page(left)).toContain('--limit 25 --stage dev&#96; shows all.');
  expect(page([], [])).toContain('None is recorded.');
  expect(page(left, [])).toContain('19 releases cannot be read');
  expect(page(left, [])).not.toContain('None is recorded.');
});

it('has commands that ask the region and the account that it asked', () => {
  const newest = { from: 0, to: 3_600_000 };
  const seen = { windows: [], cut: false, newest, length: 3600, stage: 'prod' };
  const head = { service: 's', stage: 'prod', region: 'eu-west-1', from: 0, to: 86_400_000 };
  const page = (flags: Record<string, string>) =>
    pageOf(head, [{ model: 'churn', functionName: 'f', releases: [], seen }], flags);
  expect(page({ region: 'eu-west-1', 'aws-profile': 'ops' })).toContain(
    '&#96;sls logs -f models-drift --stage prod --region eu-west-1 --aws-profile ops&#96;',
  );
  expect(page({})).toContain('&#96;sls logs -f models-drift --stage prod&#96;');
});
