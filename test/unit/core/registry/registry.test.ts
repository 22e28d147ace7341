import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModelCard } from '../../../../core/card/contract.ts';
import { registry } from '../../../../core/registry/registry.ts';
import type { Promoting } from '../../../../core/release/document/contract.ts';
import type { SignatureRecord, VersionRecord } from '../../../../core/release/document/history-contract.ts';
import { fakeObjects } from '../../../fakes/objects.ts';
import { SETTINGS } from '../../../fakes/settings.ts';

const SCOPE = 'models/1/eu-central-1/shop/dev/';
const release: Promoting = {
  schema: 1,
  rev: 1,
  release: 'r-1',
  phase: 'PROMOTING',
  model: 'churn',
  functionName: 'shop-dev-churn',
  alias: 'live',
  stack: 'stack',
  settings: SETTINGS,
  candidate: { version: '4', fingerprint: 'b' },
  steps: [],
  shifts: [],
  judgements: [],
  refused: [],
  rollbacks: [],
  notices: [],
  promote: 'afterStack',
  highest: 4,
  lives: [],
  requests: ['r-1'],
  request: {
    id: 'r-1',
    kind: 'forward',
    logicalId: 'ChurnLiveAlias',
    url: 'https://secret',
    answerBy: '2026-01-01T00:08:00.000Z',
  },
  schedule: { group: 'g', name: 'n' },
  startedAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
  deadline: '2026-01-01T01:00:00.000Z',
};
const make = () => {
  const objects = fakeObjects();
  return { objects, documents: registry(objects.port, SCOPE) };
};

const RECORD: VersionRecord = {
  schema: 1,
  model: 'churn',
  functionName: 'f',
  version: '4',
  identity: 'i',
  fingerprint: 'p',
  layer: 'l',
  source: 's',
  at: 'now',
};

describe('live.json', () => {
  it('is made once, and moves from what was read only', async () => {
    const { documents } = make();
    expect(await documents.release('churn')).toBeUndefined();
    expect(await documents.move(release, undefined)).toBe('ok');
    expect(await documents.move(release, undefined)).toBe('changed');
    const found = await documents.release('churn');
    expect(found?.release).toEqual(release);
    expect(await documents.move({ ...release, rev: 2 }, found?.etag)).toBe('ok');
    expect(await documents.move({ ...release, rev: 3 }, found?.etag)).toBe('changed');
    expect((await documents.release('churn'))?.release?.rev).toBe(2);
  });

  it('tells the models that have one, and none of what lies beside it', async () => {
    const { documents } = make();
    expect(await documents.models()).toEqual([]);
    for (const model of ['fraud', 'churn']) {
      await documents.move({ ...release, model }, undefined);
      await documents.archive({ model: 'gone', release });
      await documents.evidence(model, 'r-1', () => ({ schema: 1 }) as never);
    }
    expect(await documents.models()).toEqual(['churn', 'fraud']);
  });

  it('lies where the layout says', async () => {
    const { objects, documents } = make();
    await documents.move(release, undefined);
    expect([...objects.objects.keys()]).toEqual([`${SCOPE}releases/churn/live.json`]);
  });

  it('of a newer schema tells what every schema tells, and is no release', async () => {
    const { objects, documents } = make();
    const newer = {
      schema: 7,
      functionName: 'f',
      alias: 'live',
      highest: 9,
      stable: { version: '8' },
      other: true,
    };
    objects.set(`${SCOPE}releases/churn/live.json`, JSON.stringify(newer));
    const found = await documents.release('churn');
    expect(found?.core).toMatchObject({
      functionName: 'f',
      alias: 'live',
      highest: 9,
      stable: { version: '8' },
    });
    expect(found?.release).toBeUndefined();
  });

  it('that is not a release throws, whatever it is: it must not pass for none', async () => {
    const { objects, documents } = make();
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json()), async (text) => {
        objects.set(`${SCOPE}releases/churn/live.json`, text);
        await expect(documents.release('churn')).rejects.toThrow(/live\.json is not a release document/);
      }),
    );
  });
});

describe('live.json of which a part is lost, or became something else', () => {
  const REQUIRED = [
    ...['release', 'model', 'settings', 'shifts', 'judgements', 'refused', 'rollbacks', 'notices'],
    ...['lives', 'requests', 'schedule', 'startedAt', 'updatedAt', 'deadline', 'functionName', 'alias'],
  ];
  const read = async (part: object) => {
    const { objects, documents } = make();
    objects.set(`${SCOPE}releases/churn/live.json`, JSON.stringify({ ...release, ...part }));
    return (await documents.release('churn'))?.release;
  };

  it.each(REQUIRED)('is told by its key, and not met as a fault of whoever reads on: %s', async (key) => {
    for (const value of [undefined, null, 5])
      await expect(read({ [key]: value })).rejects.toThrow(/live\.json is not a release document/);
  });

  it.each([
    ...[{ step: '1' }, { steps: {} }, { stable: null }, { stable: {} }, { candidate: '4' }],
    ...[{ candidate: { version: 4 } }, { watch: 'x' }, { held: [] }, { basis: 1 }, { gate: 'pass' }],
  ])('is told so of what hangs on the phase: %j', async (part) => {
    await expect(read(part)).rejects.toThrow(/live\.json is not a release document/);
  });

  it('is gone on with where what hangs on the phase is not there at all', async () => {
    expect((await read({ candidate: undefined }))?.phase).toBe('ABORTED');
  });
});

describe('what is kept', () => {
  it('a release under its start and id, once, without the answer URL', async () => {
    const { objects, documents } = make();
    await documents.archive({ model: 'churn', release });
    await documents.archive({ model: 'churn', release: { ...release, phase: 'SUPERSEDED' } });
    const [[key, { text }] = ['', { text: '' }], ...others] = objects.objects;
    expect(key).toBe(`${SCOPE}releases/churn/20260101T000000000Z-r-1.json`);
    expect(JSON.parse(text).phase).toBe('PROMOTING');
    expect(text).not.toContain('secret');
    expect(others).toEqual([]);
  });

  it('a release that went on after it was kept, as it ended', async () => {
    const { objects, documents } = make();
    await documents.archive({ model: 'churn', release: { ...release, phase: 'SUPERSEDED' } });
    await documents.archive({ model: 'churn', release: { ...release, rev: 2, phase: 'ABORTED' } });
    await documents.archive({ model: 'churn', release: { ...release, phase: 'SUPERSEDED' } });
    await documents.archive({ model: 'churn', text: 'of a newer worker', at: release.startedAt });
    await documents.archive({ model: 'churn', text: 'another', at: release.startedAt });
    const [kept, unknown] = await documents.archives('churn');
    expect(await documents.archived('churn', kept ?? '')).toMatchObject({ rev: 2, phase: 'ABORTED' });
    expect(objects.objects.get(`${SCOPE}releases/churn/${unknown}.json`)?.text).toBe('of a newer worker');
    expect(objects.objects.size).toBe(2);
  });

  it('a version under its number, as it was first seen', async () => {
    const { objects, documents } = make();
    const record = RECORD;
    await documents.version(record);
    await documents.version({ ...record, at: 'later' });
    expect(JSON.parse(objects.objects.get(`${SCOPE}versions/churn/4.json`)?.text ?? '')).toEqual(record);
  });

  it('a version with its card as last deployed, and nothing else of it anew', async () => {
    const { objects, documents } = make();
    const record: VersionRecord = {
      ...RECORD,
      origin: { from: 'mlflow', at: 'https://m', name: 'churn', version: '3' },
    };
    const read = (): unknown => JSON.parse(objects.objects.get(`${SCOPE}versions/churn/4.json`)?.text ?? '');
    const card = (owner: string): ModelCard => ({
      owner: { value: owner, from: ['card'] },
      datasets: [],
      metrics: [],
    });
    await documents.version(record);
    const again = { ...record, origin: { ...record.origin, version: '9' }, at: 'later' } as VersionRecord;
    await documents.version({ ...again, card: card('ann') });
    expect(read()).toEqual({ ...record, card: card('ann') });
    const { etag } = (await objects.port.get(`${SCOPE}versions/churn/4.json`)) ?? {};
    await documents.version({ ...again, card: card('ann') });
    expect((await objects.port.get(`${SCOPE}versions/churn/4.json`))?.etag).toBe(etag);
    await documents.version({ ...again, card: card('bob') });
    expect(read()).toEqual({ ...record, card: card('bob') });
    await documents.version(again);
    expect(read()).toEqual(record);
  });

  it('a version whose number comes round again, beside the one before', async () => {
    const { objects, documents } = make();
    const record: VersionRecord = {
      ...RECORD,
      identity: 'a',
      fingerprint: 'f',
      at: '2026-01-01T00:00:00.000Z',
    };
    const again = { ...record, identity: 'b', fingerprint: 'g', at: '2026-02-01T00:00:00.000Z' };
    await documents.version(record);
    await documents.version(again);
    await documents.version(again);
    const read = (key: string): unknown =>
      JSON.parse(objects.objects.get(`${SCOPE}versions/churn/${key}.json`)?.text ?? 'null');
    expect(read('4')).toEqual(again);
    expect(read('4-20260101T000000000Z')).toEqual(record);
    await documents.version({ ...record, model: 'fraud' });
    expect(await documents.records('churn')).toEqual(['4-20260101T000000000Z', '4']);
    expect(await documents.recorded('churn', '4')).toEqual(again);
    expect(await documents.recorded('churn', '4-20260101T000000000Z')).toEqual(record);
    expect(await documents.recorded('churn', '5')).toBeUndefined();
    objects.set(`${SCOPE}versions/churn/5.json`, JSON.stringify({ ...record, schema: 2 }));
    expect(await documents.recorded('churn', '5')).toBeUndefined();
    expect(await documents.records('other')).toEqual([]);
  });
});

describe('a record of a deploy', () => {
  const deployment = { schema: 1, id: '01', at: 'now', by: 'ann', plugin: '1.2.3', models: [] } as const;

  it('is kept although the answer to its first write was lost', async () => {
    const { documents } = make();
    await documents.deploy(deployment);
    await documents.deploy(deployment);
    expect(await documents.deployment('01')).toEqual(deployment);
  });

  it('takes the ends of all models of the deploy, which may come at once', async () => {
    // Each waits for the others between reading and writing.
    const { port } = fakeObjects(() => new Promise((done) => setImmediate(done)));
    const documents = registry(port, SCOPE);
    await documents.deploy(deployment);
    const models = Array.from({ length: 60 }, (_, index) => `m${index}`);
    const end = { release: 'r-1', phase: 'DONE', at: '2026-01-01T00:00:00.000Z', judgements: [] } as const;
    await Promise.all(models.map((model) => documents.ended(deployment.id, model, end)));
    const kept = await documents.deployment(deployment.id);
    expect(Object.keys(kept?.releases ?? {}).sort()).toEqual([...models].sort());
  });

  it('does not take the place of another one', async () => {
    const { documents } = make();
    await documents.deploy(deployment);
    await expect(documents.deploy({ ...deployment, by: 'bob' })).rejects.toThrow(
      'deployments/01.json is there',
    );
    expect(await documents.deployment('01')).toEqual(deployment);
  });
});

describe('a document that is damaged', () => {
  it.each(['{"schema":1,', 'null', '7'])('is as good as none to who reads histories: %s', async (text) => {
    const { objects, documents } = make();
    for (const key of [
      'versions/churn/4',
      'releases/churn/2026-r',
      'deployments/01',
      'releases/churn/gate-r',
    ])
      objects.set(`${SCOPE}${key}.json`, text);
    expect(await documents.recorded('churn', '4')).toBeUndefined();
    expect(await documents.archived('churn', '2026-r')).toBeUndefined();
    expect(await documents.deployment('01')).toBeUndefined();
  });

  it('throws where it is of a gate, which would begin anew at each tick', async () => {
    const { objects, documents } = make();
    objects.set(`${SCOPE}releases/churn/gate-r.json`, '{"schema":1,');
    await expect(documents.found('churn', 'r')).rejects.toThrow(SyntaxError);
  });

  it('is named where it stops somebody, without a word of what is in it', async () => {
    const { objects, documents } = make();
    const stopped = async (key: string, ask: () => Promise<unknown>): Promise<void> => {
      objects.set(`${SCOPE}${key}.json`, '{"income": 5150x}');
      await expect(ask()).rejects.toMatchObject({
        name: 'SyntaxError',
        message: `${SCOPE}${key}.json is no JSON: put back an earlier version of that object, or delete it`,
      });
    };
    await stopped('versions/churn/4', () => documents.known('churn', '4'));
    await stopped('functions/shop-dev-churn', () => documents.modelOf('shop-dev-churn'));
    await stopped('functions/shop-dev-churn', () => documents.serves('shop-dev-churn', 'churn'));
    await stopped('releases/churn/gate-r', () => documents.found('churn', 'r'));
    await stopped('deployments/01', () => documents.failed('01', { at: '2026-11-29', reason: 'why' }));
  });

  it.each(['{"schema":1,', '{"schema":2,"fingerprint":"x"}'])(
    'gives way to a version’s record, and lies beside it: %s',
    async (text) => {
      const { objects, documents } = make();
      objects.set(`${SCOPE}versions/churn/4.json`, text);
      await documents.version(RECORD);
      expect(await documents.recorded('churn', '4')).toEqual(RECORD);
      expect(objects.objects.get(`${SCOPE}versions/churn/4-unknown.json`)?.text).toBe(text);
    },
  );
});

describe('what clients see of a version', () => {
  const record: SignatureRecord = {
    schema: 1,
    model: 'churn',
    fingerprint: 'f4',
    at: 'now',
    inputs: [{ name: 'a', datatype: 'FP32', shape: [-1, 3] }],
    outputs: [],
  };
  const KEY = `${SCOPE}signatures/churn/f4.json`;

  it('is kept under the fingerprint, once', async () => {
    const { objects, documents } = make();
    expect(await documents.signature('churn', 'f4')).toBeUndefined();
    await documents.keepSignature(record);
    await documents.keepSignature({ ...record, at: 'later' });
    expect([...objects.objects.keys()]).toEqual([KEY]);
    expect(await documents.signature('churn', 'f4')).toEqual(record);
    expect(await documents.signature('churn', 'f5')).toBeUndefined();
  });

  it.each([
    ['no JSON', '{"schema": 1, "inp'],
    ['another schema', JSON.stringify({ ...record, schema: 2 })],
    ['no inputs', JSON.stringify({ ...record, inputs: undefined })],
    ['an input without a shape', JSON.stringify({ ...record, inputs: [{ name: 'a', datatype: 'FP32' }] })],
    ['a dimension by name', JSON.stringify({ ...record, inputs: [{ ...record.inputs[0], shape: ['n'] }] })],
  ])('is not known where the document is none of ours: %s', async (_, text) => {
    const { objects, documents } = make();
    objects.set(KEY, text);
    expect(await documents.signature('churn', 'f4')).toBeUndefined();
  });
});
