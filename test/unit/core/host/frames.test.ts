import fc from 'fast-check';
import { expect, it } from 'vitest';
import { frameHead, frameReader } from '../../../../core/host/frames.ts';

it('frames come out as they went in, in whatever pieces the stream brings them', () => {
  const message = fc.record({ head: fc.jsonValue(), body: fc.uint8Array({ maxLength: 300 }) });
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1 }),
      (messages, cuts) => {
        const stream = Buffer.concat(
          messages.flatMap(({ head, body }) => [frameHead(head, body.length), Buffer.from(body)]),
        );
        const heard: object[] = [];
        const read = frameReader((head, body) => heard.push({ head, body: [...body] }));
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
