import { expect, it } from 'vitest';
import { below, withoutPlaces } from '../../../../../plugins/models/ship/places.ts';

const mark = '//# sourceMappingURL=data:application/json;base64,';
const placed = (map: object): string => `${mark}${Buffer.from(JSON.stringify(map)).toString('base64')}\n`;

it('the mark in a text of the code, as of what reads such maps, is code', () => {
  const code = `var mark="${mark}",all=\`\n${mark}AAAA\`;\n`;
  expect(withoutPlaces(code)).toBe(code);
  expect(below(['const A=1;\n'], code)).toBe(`const A=1;\n${code}`);
  expect(withoutPlaces(`${code}${placed({ mappings: 'AAAA' })}`)).toBe(code);
});

it('places know of the lines that come before', () => {
  expect(below(['a;\n', 'b;\n'], `c;\n${placed({ version: 3, mappings: 'AAAA' })}`)).toBe(
    `a;\nb;\nc;\n${placed({ version: 3, mappings: ';;AAAA' })}`,
  );
});
