/** A measured value as a person reads it: four digits that count, without zeros at its end. */
export const fourDigits = (value: number): string => String(Number(value.toPrecision(4)));
