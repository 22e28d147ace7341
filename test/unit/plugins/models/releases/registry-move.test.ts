/** A registry that is named or changed: refused while something needs it, and never for good. */
import { describe, expect, it } from 'vitest';
import { movesRegistry } from '../../../../../plugins/models/releases/registry-move.ts';
import { FUNCTION } from '../../../../fakes/world.ts';
import { deployed, live, minutes, promoted, type World } from '../../../core/release/traffic.ts';

const SERVICE = { name: 'shop', stage: 'dev', region: 'us-east-1', dir: '/', stack: 'shop-dev' };

/** The worker reads `old`, and serverless.yml names `new`. */
const moved = (
  w: World,
  failing?: Error,
  exists = true,
  to: string | undefined = 'new',
  { stack = SERVICE.stack, has = [] as readonly string[] } = {},
) =>
  movesRegistry(
    {
      service: { ...SERVICE, stack },
      reach: {
        aliases: async () => new Set(has),
        bucket: async () => (to === '' ? undefined : to),
        deployedBucket: async () => 'old',
        exists: async () => exists,
        clock: () => w.clock.now,
        registry: async (bucket, work) => {
          expect(bucket).toBe('old');
          if (failing !== undefined) throw failing;
          return work({ documents: w.world.registry, by: 'me' });
        },
      },
    },
    [{ model: 'churn', functionName: FUNCTION, alias: 'live' }],
  );

describe('a registry that moves', () => {
  it('is refused while a release runs', async () => {
    const w = await deployed();
    await expect(moved(w)).rejects.toThrow(/moves the registry from old to new while churn needs it/);
  });

  it.each([
    [
      'runs',
      deployed,
      'End the release first: `sls models promote --model churn --stage dev` or `sls models rollback --model churn --stage dev`.',
    ],
    [
      'is held, and has no candidate',
      async () => {
        const w = await promoted();
        w.aliases.byHand(FUNCTION, 'live', { version: '3', weights: {} });
        await minutes(w, 11);
        expect(w.state()).toMatchObject({ phase: 'HELD', held: { by: 'foreign' } });
        return w;
      },
      'End the release first: `sls models rollback --model churn --stage dev`.',
    ],
  ])('is refused with ways that are open to a release that %s', async (_, make, way) => {
    const w = await make();
    await expect(moved(w)).rejects.toThrow(way);
    expect(await w.command('promote')).toMatchObject({ done: /promote/.test(way) });
    if (w.state()?.phase === 'HELD') expect(await w.command('rollback')).toMatchObject({ done: true });
  });

  it('is refused where a newer plugin wrote the release, which may run, and its function is there', async () => {
    const w = await deployed();
    for (const [key, { text }] of [...w.objects.objects])
      if (key.endsWith('/live.json')) w.objects.set(key, JSON.stringify({ ...JSON.parse(text), schema: 2 }));
    await expect(moved(w)).rejects.toThrow(
      /while churn needs it: a newer version of the plugin released it, .* Update the plugin/,
    );
    expect(await moved(w, undefined, false)).toMatch(/The registry moves/);
  });

  it('is refused, too, where the next bucket is the stack’s own, which is not made yet', async () => {
    await expect(moved(await deployed(), undefined, true, '')).rejects.toMatchObject({
      problems: [
        {
          key: 'provider.deploymentBucket',
          message: expect.stringContaining('from old to a new one of the stack’s own while churn needs it'),
        },
      ],
    });
    expect(await moved(await live(), undefined, true, '')).toMatch(/from the bucket old to a new one of the/);
  });

  it.each([live, deployed])('is not what another name of the stack changes: that is told', async (make) => {
    await expect(moved(await make(), undefined, true, '', { stack: 'other' })).rejects.toMatchObject({
      problems: [
        {
          key: 'provider.stackName',
          value: 'other',
          message: `The function ${FUNCTION} of churn is of the stack shop-dev, and another stack cannot make one of that name.`,
          fix: expect.stringContaining('Set provider.stackName: shop-dev.'),
        },
      ],
    });
  });

  it('moves with a stack that took the function over', async () => {
    const took = { stack: 'other', has: ['ChurnLiveAlias'] };
    expect(await moved(await live(), undefined, true, '', took)).toMatch(/The registry moves/);
  });

  it('stays where it is', async () => {
    expect(await moved(await deployed(), undefined, true, 'old')).toBeUndefined();
  });

  it('is told where nothing runs', async () => {
    expect(await moved(await live())).toMatch(/The registry moves from the bucket old to new/);
  });

  it('is not refused for a bucket that is gone: there is nothing to lose any more', async () => {
    const gone = Object.assign(new Error('The specified bucket does not exist'), { name: 'NoSuchBucket' });
    expect(await moved(await live(), gone)).toMatch(/The registry moves from the bucket old to new/);
  });

  it('is refused in our words where the old one cannot be read', async () => {
    const denied = Object.assign(new Error('Access Denied'), { name: 'AccessDenied' });
    await expect(moved(await live(), denied)).rejects.toMatchObject({
      code: 'MODELS_AWS',
      message: expect.stringContaining('old'),
    });
  });
});
