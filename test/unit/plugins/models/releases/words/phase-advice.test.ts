import { expect, it } from 'vitest';
import type { Release } from '../../../../../../core/release/document/contract.ts';
import { sayOf } from '../../../../../../plugins/models/releases/session.ts';
import { ofPhase } from '../../../../../../plugins/models/releases/words/phase-advice.ts';

it('a version that was rolled back is named, where it was a candidate', () => {
  const back = { phase: 'ROLLED_BACK', refused: [], stable: { version: '3' } };
  const told = (more: object): string =>
    ofPhase({ ...back, ...more } as unknown as Release, 0, sayOf('churn', 'prod')).summary;
  expect(told({ candidate: { version: '4' } })).toBe('Version 4 was rolled back; version 3 has all traffic.');
  expect(told({})).toBe('The live version was rolled back; version 3 has all traffic.');
});
