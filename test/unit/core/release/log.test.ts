import { describe, expect, it } from 'vitest';
import { UNATTENDED } from '../../../../core/release/document/worker-contract.ts';
import { CANARY } from '../../../fakes/settings.ts';
import { FUNCTION, LIVE } from '../../../fakes/world.ts';
import { deployed, due, minute, minutes, until, type World } from './traffic.ts';

/**
 * Who searches the log for WARN finds what could not be done, and for ERROR what waits for a person.
 */

const GOOD = { 3: 0.02, 4: 0.02 };
const lines = (w: World, level: string) =>
  w.log.filter((line) => line.level === level).map(({ message }) => message);

describe('the log of the release worker', () => {
  it('has nothing to search for while a release goes well', async () => {
    const w = await deployed(CANARY);
    await until(w, 'BAKING', GOOD);
    expect(lines(w, 'info')).toContain('moved the alias');
    expect([...lines(w, 'warn'), ...lines(w, 'error')]).toEqual([]);
  });

  it('has a warning, and no move, where AWS refuses to move the alias', async () => {
    const w = await deployed(CANARY);
    w.aliases.unpublish(FUNCTION, '4');
    await minutes(w, 3);
    expect(lines(w, 'warn')).toContain('the alias could not be moved');
    expect(w.log.filter(({ message }) => message === 'moved the alias')).toHaveLength(
      w.aliases.history.length,
    );
  });

  it('tells no move where somebody else was faster', async () => {
    let isFaster = false;
    const w: World = await deployed(CANARY, {
      chaos: async (point) => {
        if (point !== 'before update alias' || !isFaster) return;
        isFaster = false;
        w.aliases.byHand(FUNCTION, 'live', { version: '3', weights: {} });
      },
    });
    isFaster = true;
    await minutes(w, 3);
    expect(lines(w, 'info')).toContain('the alias was changed meanwhile');
  });

  it('has an error where nobody looks at the weights of an alias', async () => {
    const w = await deployed(CANARY);
    await minutes(w, 3);
    w.clock.now += UNATTENDED * 1000 + 1000;
    await w.send({ sweep: true });
    expect(lines(w, 'error')).toEqual(['nobody looks at the weights of an alias']);
  });

  it('has an error where a document lacks what its phase needs', async () => {
    const w = await deployed(CANARY);
    await until(w, 'JUDGING', GOOD);
    const { candidate: _, ...kept } = JSON.parse(w.objects.objects.get(LIVE)?.text ?? '{}');
    w.objects.set(LIVE, JSON.stringify(kept));
    await minute(w, GOOD);
    expect(lines(w, 'error')).toEqual(['the document lacks what its phase needs']);
  });

  it('has a warning where a weight is taken away without a judgement, and an error where that fails', async () => {
    let isDenied = false;
    const w = await deployed(CANARY, {
      chaos: async (point) => {
        if (isDenied && point === 'before update alias') throw new Error('AccessDenied');
      },
    });
    await minutes(w, 3);
    w.objects.objects.delete(LIVE);
    isDenied = true;
    await due(w);
    expect(lines(w, 'error')).toEqual(['a release without a document could not be ended']);
    isDenied = false;
    await due(w);
    expect(lines(w, 'warn')).toEqual(['took the weight away without a document']);
  });
});
