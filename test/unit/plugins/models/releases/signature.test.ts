import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readValue } from '../../../../../core/protocol/request.ts';
import { DATATYPES, type Datatype, type TensorSpec } from '../../../../../core/tensor/contract.ts';
import { sayOf } from '../../../../../plugins/models/releases/session.ts';
import {
  type ClientSignature,
  changeLines,
  signatureChanges,
} from '../../../../../plugins/models/releases/signature.ts';

const spec = (name: string, shape: readonly number[] = [-1, 3], datatype: Datatype = 'FP32'): TensorSpec => ({
  name,
  datatype,
  shape,
});
const LIVE: ClientSignature = { inputs: [spec('a'), spec('b', [-1, 1])], outputs: [spec('sum')] };

/** What is told of another version than `LIVE`, its effect first. */
const told = (offered: Partial<ClientSignature>, live = LIVE): readonly string[] =>
  signatureChanges(live, { ...live, ...offered }).map(({ breaks, text }) => `${breaks}: ${text}`);

describe('what breaks clients', () => {
  it.each<[string, Partial<ClientSignature>, string[]]>([
    [
      'an input that is gone',
      { inputs: [spec('a')] },
      ['requests: input b is gone: requests that have it are refused'],
    ],
    [
      'an input by another name',
      { inputs: [spec('a'), spec('c', [-1, 1])] },
      ['requests: input b is called c now: requests that have b are refused'],
    ],
    [
      'a new input',
      { inputs: [...LIVE.inputs, spec('c', [], 'BYTES')] },
      ['requests: input c (BYTES []) is new and required: requests without it are refused'],
    ],
    [
      'another datatype',
      { inputs: [spec('a'), spec('b', [-1, 1], 'INT64')] },
      ['requests: input b takes INT64 now, not FP32: requests with FP32 are refused'],
    ],
    [
      'another rank',
      { inputs: [spec('a', [-1, 1, 3]), spec('b', [-1, 1])] },
      ['requests: input a has rank 3 now, [-1, 1, 3], not 2, [-1, 3]: requests of rank 2 are refused'],
    ],
    [
      'one row only',
      { inputs: [spec('a', [1, 3]), spec('b', [-1, 1])] },
      ['requests: input a: the first dimension was free and is 1 now: requests of several rows are refused'],
    ],
    [
      'another size',
      { inputs: [spec('a', [-1, 4]), spec('b', [-1, 1])] },
      ['requests: input a: the second dimension is 4 now, not 3: requests of size 3 are refused'],
    ],
    [
      'inputs that change places',
      { inputs: [spec('b', [-1, 1]), spec('a')] },
      [
        'requests: the inputs come in another order: b, a; before: a, b; CSV without a header is read in this order',
      ],
    ],
    [
      'an output that is gone',
      { outputs: [] },
      ['answers: output sum is gone: requests that ask for it are refused'],
    ],
    [
      'an output by another name',
      { outputs: [spec('total')] },
      ['answers: output sum is called total now: requests that ask for sum are refused'],
    ],
    [
      'an output of another datatype and size',
      { outputs: [spec('sum', [-1, 2], 'FP64')] },
      [
        'answers: output sum is FP64 now, not FP32',
        'answers: output sum: the second dimension is 2 now, not 3',
      ],
    ],
  ])('%s', (_, offered, lines) => {
    expect(told(offered)).toEqual(lines);
  });

  const TWO: ClientSignature = { ...LIVE, outputs: [spec('sum'), spec('label', [-1], 'INT64')] };
  const FORM = ['the bare value', 'an object by the names of outputs'] as const;

  it('a second output, and one that is the last: `/invocations` answers in another form', () => {
    expect(told(TWO)).toEqual([
      `answers: /invocations answers a row by ${FORM[1]} now, not by ${FORM[0]}`,
      'nothing: output label (INT64 [-1]) is new',
    ]);
    expect(told(LIVE, TWO)).toEqual([
      'answers: output label is gone: requests that ask for it are refused',
      `answers: /invocations answers a row by ${FORM[0]} now, not by ${FORM[1]}`,
    ]);
  });

  it('a new output before others, whose columns in csv it moves', () => {
    const [sum, label] = TWO.outputs as [TensorSpec, TensorSpec];
    expect(told({ outputs: [sum, spec('more'), label] }, TWO)).toEqual([
      'answers: output more stands before label: answers in CSV have its columns there',
      'nothing: output more (FP32 [-1, 3]) is new',
    ]);
    expect(told({ outputs: [sum, label, spec('more')] }, TWO)).toEqual([
      'nothing: output more (FP32 [-1, 3]) is new',
    ]);
  });

  it('stands before what only widens', () => {
    const live = { inputs: [spec('a', [1, 3])], outputs: [spec('sum', [-1, 3])] };
    expect(told({ inputs: [spec('a', [-1, 3])], outputs: [spec('label', [-1], 'INT64')] }, live)).toEqual([
      'answers: output sum is gone: requests that ask for it are refused',
      'nothing: input a: the first dimension was 1 and is free now',
      'nothing: output label (INT64 [-1]) is new',
    ]);
  });

  it('is no rename where another one of its kind came, too', () => {
    expect(told({ inputs: [spec('a'), spec('c', [-1, 1]), spec('d', [-1, 1])] })).toEqual([
      'requests: input b is gone: requests that have it are refused',
      'requests: input c (FP32 [-1, 1]) is new and required: requests without it are refused',
      'requests: input d (FP32 [-1, 1]) is new and required: requests without it are refused',
    ]);
  });
});

const names = fc.constantFrom('a', 'b', 'c', 'd');
const specs = fc.uniqueArray(
  fc.record({
    name: names,
    datatype: fc.constantFrom<Datatype>('FP32', 'INT64', 'BYTES'),
    shape: fc.array(fc.constantFrom(-1, 1, 2), { maxLength: 3 }),
  }),
  { selector: ({ name }) => name, maxLength: 4 },
);
const signatures = fc.record({ inputs: specs, outputs: specs });
const shuffled = (side: readonly TensorSpec[]) =>
  fc.shuffledSubarray([...side], { minLength: side.length, maxLength: side.length });
const pairs = signatures.chain((one) =>
  fc.tuple(
    fc.constant(one),
    fc.oneof(signatures, fc.record({ inputs: shuffled(one.inputs), outputs: shuffled(one.outputs) })),
  ),
);

describe('any two signatures', () => {
  it('that are equal differ in nothing, and others in something, from either side', () => {
    fc.assert(
      fc.property(pairs, ([one, other]) => {
        expect(signatureChanges(one, structuredClone(one))).toEqual([]);
        const isEqual = JSON.stringify(inOrder(one)) === JSON.stringify(inOrder(other));
        expect(signatureChanges(one, other).length === 0).toBe(isEqual);
        expect(signatureChanges(other, one).length === 0).toBe(isEqual);
      }),
      { numRuns: 2000 },
    );
  });

  it('have what is gone from one side as new from the other, and renames as renames', () => {
    const count = (changes: ReturnType<typeof signatureChanges>, words: RegExp): number =>
      changes.filter(({ text }) => words.test(text)).length;
    fc.assert(
      fc.property(pairs, ([one, other]) => {
        const [there, back] = [signatureChanges(one, other), signatureChanges(other, one)];
        expect(count(there, / is gone: /)).toBe(count(back, /\) is new\b/));
        for (const words of [
          / is called /,
          / has rank /,
          / takes | is (FP32|INT64|BYTES) now/,
          / dimension /,
          / order: /,
        ])
          expect(count(there, words)).toBe(count(back, words));
      }),
      { numRuns: 2000 },
    );
  });

  it('of which one refuses what the other takes differ in something that breaks requests', () => {
    let refused = 0;
    const offers = fc.oneof(
      signatures,
      // Near to the live one, so that many differ in one thing only.
      fc.constant(undefined),
    );
    fc.assert(
      fc.property(signatures, offers, fc.nat(3), fc.constantFrom(-1, 1, 2), (live, other, at, size) => {
        const offered = other ?? resized(live, at, size);
        const changes = signatureChanges(live, offered);
        const [request, asking] = [requestOf(live, []), requestOf(live, live.outputs)];
        const isTaken = takes(offered, request);
        if (!isTaken) refused += 1;
        if (!isTaken) expect(changes.some(({ breaks }) => breaks === 'requests')).toBe(true);
        else if (!takes(offered, asking))
          expect(changes.some(({ breaks }) => breaks === 'answers')).toBe(true);
      }),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(100);
  });
});

const inOrder = ({ inputs, outputs }: ClientSignature): unknown =>
  [inputs, outputs].map((side) => side.map(({ name, datatype, shape }) => [name, datatype, shape]));

function resized(live: ClientSignature, at: number, size: number): ClientSignature {
  const inputs = live.inputs.map((one, i) =>
    i === at ? { ...one, shape: one.shape.map((was, axis) => (axis === 0 ? size : was)) } : one,
  );
  return { ...live, inputs };
}

/** Two of each free dimension. */
function requestOf({ inputs }: ClientSignature, outputs: readonly TensorSpec[]): object {
  return {
    inputs: inputs.map(({ name, datatype, shape }) => {
      const sizes = shape.map((size) => (size < 0 ? 2 : size));
      const elements = sizes.reduce((product, size) => product * size, 1);
      return { name, datatype, shape: sizes, data: Array(elements).fill(datatype === 'BYTES' ? 'x' : 1) };
    }),
    outputs: outputs.map(({ name }) => ({ name })),
  };
}

/** As the endpoint itself decides. */
function takes({ inputs, outputs }: ClientSignature, request: object): boolean {
  try {
    readValue(request, { inputs, outputs, omitted: [] });
    return true;
  } catch {
    return false;
  }
}

describe('the lines', () => {
  const lines = (offered: Partial<ClientSignature>, steps = true): readonly string[] =>
    changeLines('churn', '3', signatureChanges(LIVE, { ...LIVE, ...offered }), steps, sayOf('churn', 'prod'));

  it('none where nothing differs', () => expect(lines({})).toEqual([]));

  it('say what differs, what follows, and how an intended change goes', () => {
    expect(lines({ inputs: [spec('a'), spec('c', [-1, 1])] })).toEqual([
      'churn: its signature differs from that of version 3, which is live:',
      '  input b is called c now: requests that have b are refused',
      'Clients that send what version 3 takes may be refused; if the change is intended, promote it once clients follow: `sls models promote --model churn --stage prod`.',
    ]);
  });

  it('say who reads answers, where those change', () => {
    expect(lines({ outputs: [] }).at(-1)).toMatch(
      /^Clients that read what version 3 answers may fail; if the change is intended/,
    );
    expect(lines({ outputs: [], inputs: [] }).at(-1)).toMatch(
      /^Clients that send what version 3 takes may be refused, and those that read what it answers may fail; if the change is intended/,
    );
  });

  it('name no command to promote where there are no steps', () => {
    expect(lines({ outputs: [] }, false).at(-1)).toBe(
      'Clients that read what version 3 answers may fail; it is released without steps, so all clients meet this at once.',
    );
  });

  it('warn of nothing where it only widens', () => {
    const live = { ...LIVE, outputs: [...LIVE.outputs, spec('label')] };
    const offered = { ...LIVE, outputs: [...live.outputs, spec('more')] };
    expect(changeLines('churn', '3', signatureChanges(live, offered), true, sayOf('churn', 'prod'))).toEqual([
      'churn: its signature is wider than that of version 3, which is live:',
      '  output more (FP32 [-1, 3]) is new',
    ]);
  });

  it('are few for a model of many columns, and no name writes to the terminal', () => {
    const many = (suffix: string) => Array.from({ length: 500 }, (_, i) => spec(`c${i}${suffix}`));
    const offered = { ...LIVE, inputs: many('\u001b[2J') };
    const found = changeLines(
      'churn',
      '3',
      signatureChanges({ ...LIVE, inputs: many('') }, offered),
      true,
      sayOf('churn', 'dev'),
    );
    expect(found).toHaveLength(23);
    expect(found.at(-2)).toBe('  and 980 more: `sls models plan --json` lists all');
    const back = changeLines('churn', '3', signatureChanges(offered, LIVE), true, sayOf('churn', 'dev'));
    expect(back[1]).toBe(String.raw`  input "c0\u001b[2J" is gone: requests that have it are refused`);
    const long = changeLines(
      'churn',
      '3',
      signatureChanges(LIVE, { ...LIVE, outputs: [spec('x'.repeat(9999))] }),
      true,
      sayOf('churn', 'dev'),
    );
    expect(long.join('').length).toBeLessThan(600);
  });

  it('every datatype of the protocol is told by its name', () => {
    for (const datatype of DATATYPES.filter((one) => one !== 'FP32'))
      expect(told({ outputs: [spec('sum', [-1, 3], datatype)] })).toEqual([
        `answers: output sum is ${datatype} now, not FP32`,
      ]);
  });
});
