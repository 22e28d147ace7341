import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodedMessage } from '../../../../../core/protocol/grpc/status.ts';

/** gRPC’s own clients take 8 KB of headers for sure, all together. */
const MOST = 4096;

it('a message is percent-encoded, and reads as it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
      const sent = encodedMessage(text);
      expect(sent).toMatch(/^[ -~]*$/);
      expect(decodeURIComponent(sent)).toBe(text);
    }),
  );
});

it.each(['x', '%', 'é', '語', '🙂', 'a🙂'])('a long one is cut between two letters: of %s', (unit) => {
  for (const length of [1, 100, 450, 1500, 4095, 4096, 4097, 1_000_000]) {
    const text = unit.repeat(length);
    const sent = encodedMessage(text);
    expect(sent.length).toBeLessThanOrEqual(MOST);
    const read = decodeURIComponent(sent);
    if (read === text) continue;
    expect(sent.length).toBeGreaterThan(MOST - 24);
    expect(read.endsWith('…')).toBe(true);
    expect(text.startsWith(read.slice(0, -1))).toBe(true);
  }
});

it('half a letter, which no UTF-8 has, is a mark', () => {
  expect(decodeURIComponent(encodedMessage('a\ud83d'))).toBe('a�');
});
