/** What another stage has validated, and what it has not: each refusal says which. */
import { describe, expect, it } from 'vitest';
import type { Release } from '../../../../../core/release/document/contract.ts';
import type { VersionRecord } from '../../../../../core/release/document/history-contract.ts';
import type { Validated } from '../../../../../plugins/models/contracts/ship-context.ts';
import type { Past } from '../../../../../plugins/models/releases/history/past.ts';
import { promotedLine } from '../../../../../plugins/models/releases/words/promoted.ts';
import { unpromoted } from '../../../../../plugins/models/stages/option.ts';
import {
  type FoundAtStage,
  isNotValidated,
  validatedAt,
} from '../../../../../plugins/models/stages/validated.ts';
import { SETTINGS } from '../../../../fakes/settings.ts';

const AT = '2026-01-01T00:00:00.000Z';
const GATE = { verdict: 'pass', done: 20, count: 20, failed: [], reason: '20 of 20 cases' } as const;

const ESTIMATE = { value: 0.91342, low: 0.9, high: 0.925 };
/** Nothing but labelled rows. */
const measured = (verdict: 'pass' | 'nodata') =>
  ({
    ...GATE,
    done: 0,
    count: 0,
    metric: {
      name: 'auc',
      rows: 640,
      done: 640,
      refused: [],
      result: { verdict, estimate: ESTIMATE, reason: 'auc 0.9134.' },
    },
  }) as const;

const release = (changes: object = {}): Release =>
  ({
    schema: 1,
    rev: 9,
    phase: 'DONE',
    release: 'r2',
    model: 'churn',
    functionName: 'shop-staging-churn',
    alias: 'live',
    stack: 'arn:aws:cloudformation:us-east-1:1:stack/shop-staging/7',
    settings: SETTINGS,
    shifts: [],
    judgements: [],
    refused: [],
    rollbacks: [],
    notices: [],
    promote: 'now',
    highest: 3,
    lives: [],
    requests: [],
    schedule: { group: 'g', name: 'n' },
    startedAt: AT,
    updatedAt: AT,
    deadline: AT,
    stable: { version: '3', fingerprint: 'f' },
    ...changes,
  }) as Release;

const record: VersionRecord = {
  schema: 1,
  model: 'churn',
  functionName: 'shop-staging-churn',
  version: '3',
  identity: 'identity',
  fingerprint: 'f',
  layer: 'layer',
  source: 'source',
  at: AT,
};
const past = (changes: Partial<Past> = {}): Past => ({
  model: 'churn',
  release: 'r2',
  startedAt: AT,
  endedAt: '2026-01-01T01:00:00.000Z',
  to: '3',
  fingerprint: 'f',
  gate: GATE,
  judgements: [
    {
      at: AT,
      step: 1,
      verdict: 'pass',
      reason: 'no worse',
      signals: [{ signal: 'errors', verdict: 'pass', numbers: { x1: 1, bound: 0.004 } }],
    },
  ],
  phase: 'DONE',
  outcome: 'promoted',
  ...changes,
});

const there = (changes: Partial<FoundAtStage> = {}, of: object = {}): FoundAtStage => {
  const found = { etag: 'e', core: {} as never, text: '', release: release(of) };
  const alias = { version: '3', weights: {}, description: '', revision: '1' };
  return { found, alias, record, pasts: [past()], bench: undefined, ...changes };
};

describe('a version that is live', () => {
  it('is taken with source and identity, and cites gate, judge, bench and times', () => {
    const bench = { at: '2026-01-02T10:11:12.000Z' } as FoundAtStage['bench'];
    const origin = {
      from: 'mlflow',
      at: 'https://m',
      name: 'churn',
      version: '5',
      alias: 'champion',
    } as const;
    const found = validatedAt('staging', 'churn', there({ bench, record: { ...record, origin } }));
    expect(found).toEqual({
      source: 'source',
      identity: 'identity',
      origin,
      evidence: {
        stage: 'staging',
        stack: 'shop-staging',
        version: '3',
        release: 'r2',
        startedAt: AT,
        endedAt: '2026-01-01T01:00:00.000Z',
        gate: { verdict: 'pass', done: 20, count: 20, reason: '20 of 20 cases' },
        judged: { at: AT, verdict: 'pass', reason: 'no worse', bounds: { errors: 0.004 } },
        bench: { id: '3-20260102T101112000Z', at: '2026-01-02T10:11:12.000Z' },
      },
    });
    if (isNotValidated(found)) throw new Error('it was refused');
    expect(promotedLine(found.evidence)).toBe(
      'staging, version 3 of shop-staging, promoted 2026-01-01 01:00 UTC; gate passed, 20 of 20 cases; judged pass: no worse; bench of 2026-01-02 10:11 UTC',
    );
  });

  it('by a release of its like has the gate of the one before, and no bench of an earlier function', () => {
    const bench = { at: '2025-12-31T00:00:00.000Z' } as FoundAtStage['bench'];
    const { gate: _, ...ungated } = past({ release: 'r3' });
    const found = validatedAt('staging', 'churn', there({ bench, pasts: [ungated, past()] }));
    expect(found).toMatchObject({ evidence: { release: 'r2' } });
    expect(found).not.toHaveProperty('evidence.bench');
  });

  it('that was measured on labelled rows, and asked no case, is validated, and the number is cited', () => {
    const found = validatedAt('staging', 'churn', there({ pasts: [past({ gate: measured('pass') })] }));
    if (isNotValidated(found)) throw new Error(found.message);
    expect(found.evidence.gate).toEqual({
      verdict: 'pass',
      done: 0,
      count: 0,
      metric: { name: 'auc', verdict: 'pass', estimate: ESTIMATE },
      reason: '20 of 20 cases',
    });
    expect(promotedLine(found.evidence)).toContain(
      '; gate passed; auc 0.9134 (0.9 to 0.925): pass; judged pass',
    );
  });

  it('that asked cases, too, may have rows that do not decide', () => {
    const gate = { ...measured('nodata'), done: 20, count: 20 };
    const found = validatedAt('staging', 'churn', there({ pasts: [past({ gate })] }));
    if (isNotValidated(found)) throw new Error(found.message);
    expect(promotedLine(found.evidence)).toContain(
      'gate passed, 20 of 20 cases; auc 0.9134 (0.9 to 0.925): no verdict; judged',
    );
  });

  it('was promoted, and then another release took its place: its gate counts', () => {
    const { gate: _, ...ungated } = past({ release: 'r3' });
    for (const before of [{ phase: 'BAKING' }, { phase: 'SUPERSEDED', weight: 100 }] as const)
      expect(validatedAt('staging', 'churn', there({ pasts: [ungated, past(before)] }))).toMatchObject({
        evidence: { release: 'r2' },
      });
  });

  it('is watched, and counts', () => {
    const watch = { since: AT, until: AT };
    expect(validatedAt('staging', 'churn', there({}, { phase: 'BAKING', watch }))).toHaveProperty('source');
  });
});

const { gate: _, ...ungated } = past({ release: 'r3' });
const candidate = { version: '4', fingerprint: 'g' };
const refusals: readonly (readonly [string, FoundAtStage, string])[] = [
  ['that was never there', there({ found: undefined }), 'it was never deployed there'],
  ['that is gone', there({ alias: undefined }), 'it is not deployed there any more'],
  [
    'in its canary',
    there({}, { phase: 'JUDGING', candidate, shifts: [{ asked: AT, at: AT, step: 0, weight: 25 }] }),
    'its release of version 4 is under way there (JUDGING, 25 %)',
  ],
  [
    'that is held',
    there(
      {},
      {
        phase: 'HELD',
        candidate,
        held: { from: 'JUDGING', by: 'nodata', at: AT, pagedAt: AT },
        reason: 'no data',
      },
    ),
    'its release of version 4 is held (no data)',
  ],
  [
    'that is held after it was promoted',
    there(
      {},
      {
        phase: 'HELD',
        held: { from: 'BAKING', by: 'limit', at: AT, pagedAt: AT },
        reason: 'an alarm came on, and there were 2 automatic rollbacks in 24 hours already',
      },
    ),
    'version 3 is live there, and held (an alarm came on, and there were 2 automatic rollbacks in 24 hours already)',
  ],
  [
    'that is doubted',
    there({}, { phase: 'REVERSING', reversal: { to: candidate } }),
    'its live version is doubted there',
  ],
  [
    'that was rolled back',
    there({}, { phase: 'ROLLED_BACK', candidate, reason: 'version 4 was rolled back: worse' }),
    'its last release there was rolled back (version 4 was rolled back: worse)',
  ],
  [
    'that was given up',
    there({}, { phase: 'ABORTED', reason: 'late' }),
    'its last release there was given up (late)',
  ],
  [
    'whose alias somebody moved',
    there({ alias: { version: '2', weights: {}, description: '', revision: '1' } }),
    'somebody moved the alias, which should be at version 3',
  ],
  ['without a record', there({ record: undefined }), 'nothing is recorded of version 3, which is live there'],
  [
    'with the record of another function',
    there({ record: { ...record, functionName: 'other' } }),
    'nothing is recorded of version 3, which is live there',
  ],
  [
    // A newer plugin wrote it, or somebody wrote into it.
    'whose record does not tell the artifact',
    there({ record: { ...record, source: undefined } as unknown as VersionRecord }),
    'nothing is recorded of version 3, which is live there',
  ],
  [
    'that no gate has asked anything',
    there({ pasts: [past({ gate: { ...GATE, done: 0, count: 0 } })] }),
    'version 3 is live there, and passed no gate with a case, labelled rows that decided, or a load',
  ],
  [
    'whose labelled rows could not decide',
    there({ pasts: [past({ gate: measured('nodata') })] }),
    'version 3 is live there, and passed no gate with a case, labelled rows that decided, or a load',
  ],
  [
    'whose gate was of another version',
    there({ pasts: [past({ fingerprint: 'g' })] }),
    'version 3 is live there, and passed no gate with a case, labelled rows that decided, or a load',
  ],
  [
    'whose gate was of a release that was rolled back, and which was forced without one',
    there({
      pasts: [ungated, past({ phase: 'ROLLED_BACK', weight: 25 })],
    }),
    'version 3 is live there, and passed no gate with a case, labelled rows that decided, or a load',
  ],
  [
    'whose gate was of a release that another one took the place of',
    there({
      pasts: [ungated, past({ phase: 'SUPERSEDED', weight: 25 })],
    }),
    'version 3 is live there, and passed no gate with a case, labelled rows that decided, or a load',
  ],
  [
    'of a newer plugin',
    there({ found: { etag: 'e', core: {} as never, text: '' } }),
    'its registry was written by a newer version of the plugin',
  ],
];

it.each(refusals)('a model %s is refused', (_, found, why) => {
  expect(validatedAt('staging', 'churn', found)).toMatchObject({
    code: 'MODELS_PROMOTION',
    key: 'models.churn',
    message: `cannot be taken from staging: ${why}.`,
    fix: expect.stringMatching(/^[A-Z].*\.$/),
  });
});

it('a package that was made without the option, or from another stage, is not deployed by it', () => {
  const offer = { model: 'churn', identity: 'i', source: 's', layer: 'l', fingerprint: 'f' };
  const { evidence } = validatedAt('staging', 'churn', there()) as Validated;
  expect(unpromoted([{ ...offer, promoted: evidence }], 'staging')).toEqual([]);
  expect(unpromoted([offer], 'staging')).toMatchObject([{ code: 'MODELS_PROMOTION', key: 'models.churn' }]);
  expect(unpromoted([{ ...offer, promoted: evidence }], 'qa')).toHaveLength(1);
});
