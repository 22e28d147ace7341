import type { Problem } from '../problems/errors.ts';
import { TIMEZONE_FIX } from './keys/concurrency.ts';

/** What is wrong with the name of a time zone; undefined: AWS knows it. */
export function timezoneFault(name: string): Pick<Problem, 'message' | 'fix'> | undefined {
  const meant = meantBy(name);
  if (meant === name) return undefined;
  const shown = JSON.stringify(name);
  return meant === undefined
    ? { message: `is ${shown}, which is not a time zone.`, fix: TIMEZONE_FIX }
    : { message: `is ${shown}, and AWS knows it as ${meant}: capitals count.`, fix: `Write ${meant}.` };
}

/** As AWS knows it. Node takes offsets, for example +01:00, and any case, and AWS neither. */
function meantBy(name: string): string | undefined {
  if (!/^[A-Za-z]/.test(name)) return undefined;
  try {
    const { timeZone } = Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions();
    if (timeZone.toLowerCase() === name.toLowerCase()) return timeZone;
  } catch {
    return undefined;
  }
  // Another name of that zone, which Node does not tell: each part of one begins with a capital.
  return name.split('/').every((part) => /^[A-Z]/.test(part)) ? name : undefined;
}
