import { expect, it } from 'vitest';
import { type Failure, inTens } from '../../../../../aws/queue-messages.ts';
import {
  eachOnce,
  enoughFor,
  hiddenFor,
  LOOK_SECONDS,
} from '../../../../../plugins/models/batch-jobs/each-once.ts';
import { heldBeside, redrive } from '../../../../../plugins/models/batch-jobs/failed.ts';
import {
  isTaken,
  redriveHint,
  redrivenText,
} from '../../../../../plugins/models/batch-jobs/redriven-text.ts';
import { failureText } from '../../../../../plugins/models/batch-jobs/text.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';

const failure = (number: number, body = `body ${number}`): Failure => ({
  id: `id ${number}`,
  body,
  receipt: `receipt ${number}`,
  sentAt: '2026-01-01T00:00:00.000Z',
});

/**
 * A queue that gives ten at a time and hides none of them: those that were read come again when the rest was.
 */
function forgetful(count: number) {
  const messages = Array.from({ length: count }, (_, i) => failure(i));
  let at = 0;
  let answers = 0;
  return {
    messages,
    receive: async (): Promise<readonly Failure[]> => {
      if (++answers > 10_000) throw new Error('it never ends');
      const some = messages.slice(at, at + 10);
      at = at + 10 >= messages.length ? 0 : at + 10;
      return some;
    },
  };
}

it('reading what failed ends where messages come again, and has each once', async () => {
  const { messages, receive } = forgetful(1234);
  const read: Failure[] = [];
  for await (const some of eachOnce(receive)) read.push(...some);
  expect(read).toEqual(messages);
});

it('one early answer with nothing is not taken for the end', async () => {
  const answers = [[failure(0)], [], [failure(1)], [failure(0)], [failure(2)], [], []];
  const read: string[] = [];
  for await (const some of eachOnce(async () => answers.shift() ?? []))
    read.push(...some.map(({ id }) => id));
  expect(read).toEqual(['id 0', 'id 1', 'id 2']);
  expect(answers).toEqual([]);
});

it('what somebody has just looked at is waited for, until nobody hides it any more', async () => {
  // A look hides two messages for six seconds; an empty answer takes one.
  const hidden = hiddenFor(2, LOOK_SECONDS);
  let second = 0;
  const receive = async () => (second++ < hidden ? [] : [failure(0), failure(1)]);
  const read: string[] = [];
  for await (const some of eachOnce(receive, enoughFor(2))) read.push(...some.map(({ id }) => id));
  expect(read).toEqual(['id 0', 'id 1']);
  expect([0, 2, 100_000].map(enoughFor)).toEqual([2, 8, 60]);
});

it('messages are hidden for as long as reading all of them may take', () => {
  expect([0, 1, 1000, 100_000, 10_000_000].map((waiting) => hiddenFor(waiting, 5))).toEqual([
    5, 6, 55, 5005, 43_200,
  ]);
});

it('a redrive sends and deletes ten by ten as it reads, in this order, and leaves what fails again', async () => {
  const queue = Array.from({ length: 25 }, (_, i) => failure(i, `body ${i === 1 ? 0 : i}`));
  const calls: string[] = [];
  let next = 25;
  const cloud = {
    failures: () =>
      eachOnce(async () => {
        calls.push('receive');
        return queue.splice(0, 10);
      }),
    send: async (to: string, bodies: readonly string[]) => {
      calls.push(`send ${bodies.length} ${to}`);
      // Each fails at once, and is there as another message.
      for (const body of bodies) if (next < 1000) queue.push(failure(next++, body));
    },
    forget: async (from: string, receipts: readonly string[]) => {
      calls.push(`forget ${receipts.length} ${from}`);
    },
  };
  const { sent, kept } = await redrive(cloud, 'failed', 'jobs', () => {});
  // All that failed again was read as well, and stays.
  expect(kept).toBe(24);
  expect(sent.map(({ id }) => id)).toEqual(Array.from({ length: 25 }, (_, i) => `id ${i}`));
  expect(calls.filter((call) => /[1-9]/.test(call))).toEqual([
    'send 9 jobs',
    'forget 10 failed',
    'send 10 jobs',
    'forget 10 failed',
    'send 5 jobs',
    'forget 5 failed',
  ]);
  expect(calls.slice(0, 4)).toEqual(['receive', 'send 9 jobs', 'forget 10 failed', 'receive']);
});

it('counts of SQS that are a minute old hold nothing; what they say after that time is held', async () => {
  const waited: number[] = [];
  const held = (counts: number[]) =>
    heldBeside(
      async () => counts.shift() ?? 2,
      async (milliseconds) => waited.push(milliseconds),
    );
  expect(await held([3, 3, 0])).toBe(0);
  expect(waited).toEqual([5000, 5000]);
  expect(await held([-4])).toBe(0);
  expect(waited.length).toBe(2);
  expect(await held([3])).toBe(2);
  expect(waited.slice(2).reduce((sum, one) => sum + one, 0)).toBe(60_000);
});

it('of ten entries those that were refused are tried again, three times in all', async () => {
  const calls: number[][] = [];
  const entries = Array.from({ length: 12 }, (_, number) => ({ number }));
  const call = (refused: number) => async (some: readonly { number: number; Id: string }[]) => {
    calls.push(some.map(({ number }) => number));
    const Failed = some.filter(({ number }) => number === 3 && calls.length < refused);
    return { Failed: Failed.map(({ Id }) => ({ Id, Message: 'not now' })) };
  };
  await inTens(entries, call(3));
  expect(calls).toEqual([[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [3], [3], [10, 11]]);
  calls.length = 0;
  await expect(inTens(entries, call(4))).rejects.toThrow('not now');
});

it('of what SQS itself moved the text claims no more than is known', () => {
  const body = JSON.stringify({ object: { bucket: 'in', key: 'a.csv' } });
  expect(failureText([failure(0, body)], Date.parse('2026-01-01T00:00:00Z'))).toBe(
    '00:00:00 UTC  s3://in/a.csv: it was tried until SQS gave it up: the function crashed, ran out of time or memory, or could not be invoked; its log says more',
  );
});

/** A model whose only entry takes `s3://rows/*.csv`. */
function declared() {
  const batch = { input: 's3://rows/*.csv', output: 's3://scored/' };
  const [model] = parseModels({ churn: { artifact: 'a.onnx', batch } }).models;
  if (model === undefined) throw new Error('it is no model');
  return model;
}
const about = (key: string): string => JSON.stringify({ object: { bucket: 'rows', key } });
const eventOf = (key: string): string =>
  JSON.stringify({
    source: 'aws.s3',
    detail: { bucket: { name: 'rows' }, object: { key, etag: 'e', sequencer: '1' } },
  });

it('of what is sent again it is told what nothing will score, as its entry is gone', () => {
  const model = declared();
  const taken = [failure(0, about('a.csv')), failure(1, eventOf('b.csv'))];
  expect(redrivenText(taken, model)).toBe('2 tried again.');
  const gone = [about('c.txt'), eventOf('c.txt'), about('d.txt')].map((body, i) => failure(10 + i, body));
  expect(redrivenText([...taken, ...gone], model)).toBe(
    [
      '2 tried again.',
      '3 sent again, but no entry under models.churn.batch takes s3://rows/c.txt, s3://rows/d.txt. Where the live version has none either, nothing scores them: they wait for a day for a version that has one, then `--failed` lists them as NO_ENTRY. To have them scored, write the entry again and run `sls deploy` before that.',
    ].join('\n'),
  );
  expect(redrivenText([failure(0, about('e.txt'))], model)).toMatch(
    /^1 sent again, .* takes s3:\/\/rows\/e.txt\. .* nothing scores it: it waits for a day .*/,
  );
  expect(redrivenText([failure(0, 'hello')], model)).toMatch(
    /^1 sent again, but about no object: .*UNKNOWN_MESSAGE/,
  );
  const many = Array.from({ length: 9 }, (_, i) => failure(i, about(`${i}.txt`)));
  expect(redrivenText(many, model)).toContain(
    'takes s3://rows/0.txt, s3://rows/1.txt, s3://rows/2.txt and 6 more.',
  );
  expect(
    [...taken, ...gone, failure(2, 'hello')].map((one) => isTaken(model.batch?.entries ?? [], one)),
  ).toEqual([...[true, true], ...[false, false, false, false]]);
});

it('before anything is sent again the list says which entries are missing', () => {
  const model = declared();
  const all = '`--redrive` tries all of it again, once its cause is fixed.';
  expect(redriveHint([failure(0, about('a.csv'))], model)).toBe(all);
  expect(redriveHint([failure(0, about('a.csv')), failure(1, about('c.txt'))], model)).toBe(
    `${all}\nNo entry under models.churn.batch takes s3://rows/c.txt: write it again and run \`sls deploy\` first, else nothing scores it.`,
  );
});
