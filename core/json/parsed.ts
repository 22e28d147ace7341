/** What somebody else's JSON has, of which nothing is certain. */
export type Fields = Readonly<Record<string, unknown>>;

/** @returns the fields of an object; none of anything else, nor of a text that is damaged, empty or absent */
export function parsed(json: string | undefined): Fields {
  try {
    return fieldsOf(JSON.parse(json ?? ''));
  } catch {
    return {};
  }
}

export const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};
