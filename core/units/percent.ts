/** So many significant digits of a share in percent; more where it would else read as 100 and is not all. */
export function percentFigure(share: number, digits: number): number {
  const rounded = (more: number): number => Number((share * 100).toPrecision(digits + more));
  let more = 0;
  while (share < 1 && rounded(more) >= 100 && digits + more < MOST_DIGITS) more += 1;
  return rounded(more);
}

/** Digits that a double has at least. */
const MOST_DIGITS = 15;
