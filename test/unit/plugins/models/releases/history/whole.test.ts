import { expect, it } from 'vitest';
import type { BenchDocument } from '../../../../../../core/capacity/contract.ts';
import type { ArtifactOrigin } from '../../../../../../core/origin/contract.ts';
import { benchesIn } from '../../../../../../core/registry/benches.ts';
import { keptOf } from '../../../../../../plugins/models/commands/report.ts';
import { reportHtml } from '../../../../../../plugins/models/drift-report/report-html.ts';
import { benchLine, withBenches } from '../../../../../../plugins/models/releases/history/benches.ts';
import { historyOf } from '../../../../../../plugins/models/releases/history/history.ts';
import { historyText, unshown } from '../../../../../../plugins/models/releases/history/text.ts';
import { ulid } from '../../../../../../plugins/models/releases/history/ulid.ts';
import { FUNCTION, fakeWorld, request, SCOPE } from '../../../../../fakes/world.ts';

/** A document with one of its values in turn as somebody might leave it who writes into it. */
function* damaged(value: unknown, at = ''): Generator<readonly [at: string, value: unknown]> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, one] of Object.entries(value)) {
    const within = (other: unknown): unknown =>
      Array.isArray(value)
        ? value.map((kept, i) => (String(i) === key ? other : kept))
        : { ...value, [key]: other };
    for (const other of [undefined, null, 0, 'x', [null], {}]) yield [`${at}.${key}`, within(other)];
    for (const [below, other] of damaged(one, `${at}.${key}`)) yield [below, within(other)];
  }
}

/** Two releases with a record of their deploy, an origin, a card and a bench. */
async function served() {
  const w = fakeWorld();
  const models = [{ model: 'churn', identity: 'i', layer: 'l', fingerprint: 'good', source: 's' }];
  const id = ulid(w.clock.now, new Uint8Array(10));
  await w.world.registry.deploy({ schema: 1, id, at: 'x', by: 'ann', plugin: '1.2.3', models });
  const origin: ArtifactOrigin = {
    ...({ from: 'mlflow', at: 'https://m', name: 'churn', version: '3' } as const),
    datasets: [{ name: 'rows', context: 'training' }],
    metrics: [{ name: 'auc', value: 0.9 }],
  };
  const card = JSON.stringify({
    datasets: [],
    metrics: [{ name: 'auc', value: { value: 0.9, from: ['card'] } }],
  });
  for (const [version, fingerprint] of [
    ['1', 'good'],
    ['2', 'better'],
  ] as const) {
    w.clock.now += 1000;
    w.aliases.publish(FUNCTION, version);
    const type = version === '1' ? 'Create' : 'Update';
    await w.send(request(type, version, fingerprint, { source: fingerprint, origin, card }));
  }
  await w.command('rollback', { to: '1', reason: 'odd' });
  const benches = benchesIn(w.objects.port, SCOPE);
  const scenario = {
    ...{ scenario: 'Server', verdict: 'VALID', rate: 2, samples: 2, cold: { count: 0 } },
    percentiles: [{ percentile: 0.99, ms: 3 }],
    promised: { percentile: 0.99, seeds: [1], runs: [3], upper: 4 },
  };
  const bench = {
    ...({ schema: 1, model: 'churn', at: '2036-01-01T00:00:00.000Z', interrupted: false } as const),
    ...{ target: { version: '2' }, scenarios: [scenario], curve: { points: [], capacity: 3 } },
  };
  await benches.keep(bench as unknown as BenchDocument & { target: { version: string } }, '');
  return { w, benches };
}

async function told({ w, benches }: Awaited<ReturnType<typeof served>>): Promise<string> {
  const { pasts, unread, older } = await historyOf(w.world.registry, 'churn', 10);
  const withAll = withBenches(pasts, await benches.newest('churn', ['1', '2']));
  const lines = withAll.map(({ bench, ...past }) => ({ ...past, ...(bench && { bench: benchLine(bench) }) }));
  const aliases = { get: async () => ({ version: '1', weights: {}, revision: '' }) };
  const sight = { aliases, exists: async () => true };
  const { live, ...kept } = await keptOf(
    { benches, documents: w.world.registry, sight: sight as never },
    'churn',
    FUNCTION,
  );
  const subject = { model: 'churn', functionName: FUNCTION, ...kept, ...(live && { live }) };
  reportHtml({ service: 'shop', stage: 'dev', region: 'r', from: 0, to: 1 }, [subject]);
  return historyText('churn', lines, unshown('churn', unread, older, 10));
}

it('a document that somebody has written into keeps no other from being told', async () => {
  const all = await served();
  const { objects } = all.w;
  const whole = await told(all);
  for (const part of ['by        ann', 'origin    churn version 3', 'bench     2036'])
    expect(whole).toContain(part);
  const texts = [...objects.objects].filter(([key]) => !key.endsWith('.html'));
  expect(texts.length).toBeGreaterThan(5);
  for (const [key, { text }] of texts) {
    for (const [at, value] of damaged(JSON.parse(text))) {
      objects.set(key, JSON.stringify(value));
      const found = await told(all).catch((error: unknown) => `${key}${at}: ${error}`);
      expect(found).toMatch(/^churn(\n|:)/);
    }
    objects.set(key, text);
  }
  expect(await told(all)).toBe(whole);
  // It is counted.
  const [live = ''] = [...objects.objects.keys()].filter((key) => key.endsWith('/live.json'));
  objects.set(live, JSON.stringify({ ...JSON.parse(objects.objects.get(live)?.text ?? ''), shifts: null }));
  expect((await told(all)).split('\n').at(-1)).toMatch(/^ {2}1 release cannot be read/);
});
