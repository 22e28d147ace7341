import fc from 'fast-check';
import { expect, it } from 'vitest';
import { framed, frameReader } from '../../../../core/host/frames.ts';

it('frames come out as they went in, in whatever pieces the stream brings them', () => {
  // Long ones go as they are, short ones behind their heads.
  const body = fc.oneof(
    { weight: 20, arbitrary: fc.uint8Array({ maxLength: 300 }) },
    {
      weight: 1,
      arbitrary: fc.integer({ min: 16_380, max: 16_390 }).map((size) => new Uint8Array(size).fill(7)),
    },
  );
  const message = fc.record({ head: fc.jsonValue(), body });
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1 }),
      (messages, cuts) => {
        const stream = Buffer.concat(messages.flatMap(({ head, body }) => framed(head, Buffer.from(body))));
        const heard: object[] = [];
        const read = frameReader(
          (head, body) => heard.push({ head, body: [...body] }),
          (why) => heard.push({ why }),
        );
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const size = cuts[turn % cuts.length] as number;
          read(stream.subarray(at, at + size));
          at += size;
        }
        const sent = messages.map(({ head, body }) => ({
          head: JSON.parse(JSON.stringify(head)),
          body: [...body],
        }));
        expect(heard).toEqual(sent);
      },
    ),
  );
});

it.each([
  ['a text', Buffer.from('hello from a dependency\n'), /^a message of \d+ bytes/],
  [
    'a head that is no JSON',
    Buffer.concat([Buffer.from([3, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{"a')]),
    /no JSON/,
  ],
  ['nothing but zeros', Buffer.alloc(100), /no JSON/],
  ['the largest sizes', Buffer.alloc(8, 255), /^a message of 8589934590 bytes/],
])('what is no frame is told once, and nothing is read after it: %s', (_, bytes, why) => {
  for (const size of [1, 3, 1000]) {
    const told: string[] = [];
    const heard: unknown[] = [];
    const read = frameReader(
      (head) => heard.push(head),
      (reason) => told.push(reason),
    );
    for (const piece of framed('before', Buffer.alloc(0))) read(piece);
    for (let at = 0; at < bytes.length; at += size) read(bytes.subarray(at, at + size));
    for (const piece of framed('after', Buffer.alloc(0))) read(piece);
    expect(heard).toEqual(['before']);
    expect(told).toEqual([expect.stringMatching(why)]);
  }
});
