/** @returns `$0.00000047`, `$2,700`: so many digits, and never a power of ten */
export const dollarFigure = (amount: number, digits: number): string =>
  `$${amount.toLocaleString('en-US', amount === 0 ? {} : { minimumSignificantDigits: digits, maximumSignificantDigits: digits })}`;
