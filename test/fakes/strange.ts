/** Parts of one value of JSON that another does not have, or has of another type. */
export function strangeIn(ours: unknown, theirs: unknown, at = ''): string[] {
  if (Array.isArray(ours) && Array.isArray(theirs))
    return ours.flatMap((one) => strangeIn(one, theirs[0], `${at}[]`));
  if (typeof ours === 'object' && ours !== null && typeof theirs === 'object' && theirs !== null)
    return Object.entries(ours).flatMap(([name, value]) =>
      strangeIn(value, (theirs as Record<string, unknown>)[name], `${at}.${name}`),
    );
  return typeof ours === typeof theirs ? [] : [at];
}
