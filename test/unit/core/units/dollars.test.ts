import { expect, it } from 'vitest';
import { dollarFigure } from '../../../../core/units/dollars.ts';

it.each([
  [4.7e-7, 2, '$0.00000047'],
  [0.0132, 2, '$0.013'],
  [0.5, 3, '$0.500'],
  [1150.4, 3, '$1,150'],
  [2732, 2, '$2,700'],
  [0, 3, '$0'],
])('%d dollars of %d digits are %s, without a power of ten', (amount, digits, text) => {
  expect(dollarFigure(amount, digits)).toBe(text);
});
