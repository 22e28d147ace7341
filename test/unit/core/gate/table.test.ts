import { expect, it } from 'vitest';
import { failuresTable } from '../../../../core/gate/table.ts';

it('shows expected, got and difference, a line a value', () => {
  const table = failuresTable([
    {
      case: 3,
      kind: 'different',
      differences: [
        { at: 'probabilities[0, 1]', expected: '0.91', got: '0.088', difference: 0.088 - 0.91 },
        { at: 'label[0]', expected: '0', got: '1', difference: 1 },
      ],
      more: 3,
    },
    {
      case: 12,
      kind: 'refused',
      differences: [
        {
          at: 'answer',
          expected: 'outputs',
          got: 'WRONG_VALUE: $.inputs[0].data[2] must be a number and this sentence is long.',
        },
      ],
      more: 0,
    },
    {
      case: 0,
      kind: 'crash',
      differences: [{ at: 'answer', expected: 'an answer', got: 'RangeError' }],
      more: 0,
    },
  ]);
  expect(table).toBe(
    [
      'case   where                expected   got         difference',
      '3      probabilities[0, 1]  0.91       0.088       -0.822',
      '       label[0]             0          1           +1',
      '       3 more',
      '12     answer               outputs    WRONG_VALUE: $.inputs[0].data[2] must be a number and this sentence is long.',
      'start  answer               an answer  RangeError',
    ].join('\n'),
  );
});

it('shows floats to seven digits, or as many as tell them apart', () => {
  const one = (expected: string, got: string): string | undefined =>
    failuresTable([{ case: 1, kind: 'different', differences: [{ at: 'y', expected, got }], more: 0 }]).split(
      '\n',
    )[1];
  expect(one('0.9946061449812379', '-0.005744427442550659')).toMatch(/ 0\.9946061 +-0\.005744427$/);
  expect(one('1.00000001', '1.00000002')).toMatch(/ 1\.00000001 +1\.00000002$/);
  expect(one('12345678901', '"0.123456789"')).toMatch(/ 12345678901 +"0\.123456789"$/);
});

it('shows nothing where nothing failed', () => {
  expect(failuresTable([])).toBe('');
});
