import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bodyOf, subjectOf } from '../../../aws/notices.ts';

/** https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
describe('what SNS takes', () => {
  it('is a subject of less than 100 plain characters on one line', () => {
    expect(subjectOf('churn: version 4 was rolled back')).toBe('churn: version 4 was rolled back');
    expect(subjectOf(' größer\n\tals “p95” \u0007')).toBe('gro-er als -p95-');
    expect(subjectOf('x'.repeat(99))).toBe('x'.repeat(99));
    expect(subjectOf('x'.repeat(100))).toBe(`${'x'.repeat(96)}...`);
    const character = fc.oneof(fc.integer({ min: 0, max: 0x2fff }), fc.integer({ min: 0, max: 0x10ffff }));
    fc.assert(
      fc.property(fc.array(character, { maxLength: 150 }), (text) => {
        expect(subjectOf(String.fromCodePoint(...text))).toMatch(
          /^([\x21-\x7e]([\x20-\x7e]{0,97}[\x21-\x7e])?)?$/,
        );
      }),
    );
  });

  it('is a message of at most 256 KiB in UTF-8, cut between characters, and never empty', () => {
    expect(bodyOf('x1 12 of 100')).toBe('x1 12 of 100');
    expect(bodyOf('')).toBe('(empty)');
    expect(bodyOf('x'.repeat(262_144))).toBe('x'.repeat(262_144));
    for (const length of [87_382, 87_383, 87_384, 90_000]) {
      const cut = bodyOf('€'.repeat(length));
      expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(262_144);
      expect(cut).toMatch(/^€+\n\(\d+ bytes; the rest is cut\)$/);
    }
  });
});
