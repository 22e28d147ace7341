import { readFileSync } from 'node:fs';

/** A person of the survey: column → value. */
export type Person = Readonly<Record<string, number>>;

export type Tensor = {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data: readonly number[];
};

/** `NATIVITY`: 1 is born in the country, 2 elsewhere. */
export const isNative = ({ NATIVITY }: Person): boolean => NATIVITY === 1;

/** The 4,000 people of reference.csv, or of later.csv. */
export function readPeople(file: string): readonly Person[] {
  const [head = '', ...rows] = readFileSync(file, 'utf8').trim().split('\n');
  const columns = head.split(',');
  return rows.map((row) => {
    const values = row.split(',').map(Number);
    return Object.fromEntries(columns.map((column, index) => [column, values[index] ?? Number.NaN]));
  });
}

/** An inference request about one person. The age is a number (FP32), everything else a code. */
export const requestAbout = (person: Person): { readonly inputs: readonly Tensor[] } => ({
  inputs: Object.entries(person).map(([name, value]) => ({
    name,
    datatype: name === 'AGEP' ? 'FP32' : 'INT64',
    shape: [1, 1],
    data: [value],
  })),
});
