/** A candidate that refuses what the stable version serves, whatever either of them is known to count. */
import { describe, expect, it } from 'vitest';
import type { Release } from '../../../../../core/release/document/contract.ts';
import { latencyLine, refusalsLine } from '../../../../../plugins/models/releases/deployment.ts';
import { CANARY } from '../../../../fakes/settings.ts';
import { deploy, deployed, live, minute, minutes, promoted, until } from '../../../core/release/traffic.ts';

/** What a plugin declares whose endpoint counts refused requests by model only. */
const { rejected: _, ...OLDER } = CANARY;
const REFUSING = { 3: 0, 4: 0.4 };
const refuse = true;

describe('a canary that refuses what the stable version serves', () => {
  it('is rolled back by that, with the numbers of both', async () => {
    const w = await deployed();
    await until(w, 'JUDGING', {}, { refuse });
    expect(w.state()?.basis).toEqual({ outputs: [], rejected: true });
    await until(w, 'ROLLED_BACK', REFUSING, { refuse, most: 8 });
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.state()?.reason).toMatch(
      /^version 4 was rolled back: rejected: \d+ of \d+ \(40 %\) of the candidate version’s requests were refused, 0 of [\d,]+ \(0 %\) of the stable version’s: 40 percentage points more/,
    );
    expect(w.notices.at(-1)?.text).toMatch(/\n {2}rejected: fail; x1 \d+, n1 \d+, x2 0, /);
    expect(w.state()?.refused).toMatchObject([{ version: '4' }]);
  });

  it('is rolled back, and not called unreadable, if it refuses everything', async () => {
    const w = await deployed();
    await until(w, 'ROLLED_BACK', { 3: 0, 4: 1 }, { refuse, most: 8 });
    expect(w.state()?.reason).toMatch(/^version 4 was rolled back: rejected: \d+ of \d+ \(100 %\)/);
  });

  it('is not blamed for the mistakes of clients, which both versions refuse', async () => {
    const w = await deployed();
    await until(w, 'BAKING', { 3: 0.3, 4: 0.3 }, { refuse });
    expect(w.state()?.judgements.map(({ signals }) => signals.map(({ signal }) => signal))).toEqual(
      Array.from({ length: 3 }, () => ['errors', 'rejected']),
    );
  });

  it('is not rolled back for it after promotion: what the new version takes may be meant', async () => {
    const w = await promoted();
    await minutes(w, 30, { 4: 0.4 }, { refuse });
    expect(w.state()?.phase).toBe('BAKING');
    expect(w.target()).toEqual({ version: '4', weights: {} });
  });
});

describe('a version that counts refused requests by model only', () => {
  it('is compared in everything else, and the deploy says so', async () => {
    const w = await live(OLDER);
    await deploy(w, '4', 'b');
    expect(refusalsLine(w.state() as Release)).toBeUndefined();
    w.stack.state = 'done';
    await until(w, 'JUDGING', {}, { refuse });
    expect(w.state()?.stable?.rejected).toBeUndefined();
    expect(w.state()?.candidate?.rejected).toBe(true);
    expect(w.state()?.basis).toEqual({ outputs: [] });
    expect(refusalsLine(w.state() as Release)).toBe(
      'churn: refused requests are not judged in this release, since version 3 does not count its own refusals',
    );
    await until(w, 'BAKING', REFUSING, { refuse });
    // The next one is compared with a version that counts them.
    await deploy(w, '5', 'c', { before: '4' });
    w.stack.state = 'done';
    await until(w, 'JUDGING', {}, { refuse });
    expect([refusalsLine(w.state() as Release), latencyLine(w.state() as Release)]).toEqual([
      undefined,
      expect.stringContaining('latency is not judged'),
    ]);
    await until(w, 'ROLLED_BACK', { 4: 0, 5: 0.4 }, { refuse, most: 8 });
  });

  it('is not compared as a candidate either, as after a deploy of an older template', async () => {
    const w = await live(CANARY);
    await deploy(w, '4', 'b', { settings: OLDER });
    w.stack.state = 'done';
    await until(w, 'JUDGING', {}, { refuse });
    expect(w.state()?.basis).toEqual({ outputs: [] });
    expect(refusalsLine(w.state() as Release)).toContain('version 4 does not count its own');
  });

  it('stays one whatever later settings say of it, forced or not', async () => {
    const w = await live(OLDER);
    await deploy(w, '3', 'a');
    expect(w.state()).toMatchObject({ settings: { rejected: true }, stable: { version: '3' } });
    expect(w.state()?.stable).not.toHaveProperty('rejected');
    w.stack.state = 'done';
    await deploy(w, '3', 'a', { forced: 'now' });
    w.stack.state = 'done';
    await minute(w);
    expect(w.state()).toMatchObject({ phase: 'DONE', stable: { version: '3' } });
    expect(w.state()?.stable).not.toHaveProperty('rejected');
  });

  it('is not made of one that counts, by the settings of an older template', async () => {
    const w = await live(CANARY);
    await deploy(w, '3', 'a', { settings: OLDER });
    expect(w.state()?.settings).not.toHaveProperty('rejected');
    expect(w.state()?.stable?.rejected).toBe(true);
  });
});
