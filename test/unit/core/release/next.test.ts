import { describe, expect, it } from 'vitest';
import type { Judging, Release, Shifting } from '../../../../core/release/document/contract.ts';
import { become, next } from '../../../../core/release/state/next.ts';
import { deployed, until } from './traffic.ts';

/** What the compiler refuses of a document: these lines do not compile without the marks on them. */

// Never called: the compiler reads it.
function refusedByTheCompiler(any: Release, shifting: Shifting, judging: Judging): readonly Release[] {
  return [
    // @ts-expect-error not every phase has a candidate
    next(any, { candidate: { version: '1' } }, 1),
    // @ts-expect-error its phase needs it
    next(shifting, { stable: undefined }, 1),
    // @ts-expect-error another phase needs other keys
    next(shifting, { ...{ phase: 'DONE' as const } }, 1),
    // @ts-expect-error what is judged is fixed before the first weight
    become(shifting, 'JUDGING', {}, 1),
    // @ts-expect-error it is watched from now on, and has no candidate any more
    become(judging, 'BAKING', {}, 1),
    // @ts-expect-error it may be held
    become(any, 'ABORTED', {}, 1),
    next(shifting, { basis: undefined, step: 3 }, 1),
    become(judging, 'SHIFTING', { step: 1 }, 1),
    become(judging, 'ABORTED', {}, 1),
  ];
}

describe('the next document', () => {
  it('is refused by the compiler where it is not what its phase says', () => {
    expect(refusedByTheCompiler).toBeTypeOf('function');
  });

  it('has the changes, a rev more, a time that never goes back, and all that is not named', async () => {
    const w = await deployed();
    await until(w, 'JUDGING', { 3: 0.02, 4: 0.02 });
    const state = w.state() as Judging;
    const then = become(state, 'SHIFTING', { step: 1, reason: undefined }, 0);
    expect(then).toEqual({ ...state, phase: 'SHIFTING', step: 1, rev: state.rev + 1 });
  });

  it('has its end once, when it comes to it', async () => {
    const w = await deployed();
    const state = w.state() as Judging;
    const now = w.clock.now + 1000;
    const ended = become(state, 'ABORTED', {}, now);
    expect(ended.endedAt).toBe(new Date(now).toISOString());
    expect(next(ended, { notices: [] }, now + 1000).endedAt).toBe(ended.endedAt);
  });
});
