import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { yamlText } from '../../../../../../plugins/models/export/shared/commented.ts';

const value = { spec: { date: '2012-10-17', on: 'yes', list: [{ name: 'a' }, { name: 'b' }] } };

it('a note stands before what it is about, at any depth, and changes nothing', () => {
  const text = yamlText({
    head: ['One.', 'Two.'],
    value,
    notes: { spec: 'All.', 'spec/date': 'A day.', 'spec/list/1': 'The second.' },
  });
  expect(text).toBe(`# One.
#
# Two.
# All.
spec:
  # A day.
  date: "2012-10-17"
  "on": "yes"
  list:
    - name: a
    # The second.
    - name: b
`);
  expect(parse(text)).toEqual(value);
});

it('a long note is broken, its own lines are kept', () => {
  const text = yamlText({
    head: [],
    value,
    notes: { 'spec/date': `${'word '.repeat(40).trim()}\nkubectl get pods` },
  });
  const lines = text.split('\n').filter((line) => line.includes('#'));
  expect(lines.length).toBe(3);
  expect(lines.every((line) => line.length <= 110)).toBe(true);
  expect(lines.at(-1)).toBe('  # kubectl get pods');
});

it('a note about nothing is a fault of ours', () => {
  expect(() => yamlText({ head: [], value, notes: { 'spec/nothing': 'x' } })).toThrow(
    'There is no spec/nothing',
  );
});
