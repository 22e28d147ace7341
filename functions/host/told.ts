import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { HostTold } from '../../core/host/contract.ts';
import { isObject } from '../../core/json/is-object.ts';

/** Is it what `child.ts` says? A status that is none would throw where it is sent. */
export function isTold(head: unknown): head is HostTold {
  if (!isObject(head)) return false;
  const { ready, broken, ordinal, thrown, status, headers, code, took, scores } = head;
  if (status !== undefined)
    return (
      Number.isInteger(ordinal) &&
      Number.isInteger(status) &&
      Number(status) >= 200 &&
      Number(status) < 600 &&
      isObject(headers) &&
      Object.entries(headers).every(isHeader) &&
      (code === undefined || typeof code === 'string') &&
      Number.isFinite(took) &&
      Number(took) >= 0 &&
      (scores === undefined || typeof scores === 'string')
    );
  return (
    ready === true || typeof broken === 'string' || (Number.isInteger(ordinal) && typeof thrown === 'string')
  );
}

/**
 * How an answer is sent is the front’s to say, which knows its length: with one of these Node throws, or the
 * connection breaks.
 */
const OF_CONNECTION: readonly string[] = ['trailer', 'transfer-encoding'];

/** Node throws for another one where it is sent, which would end the host. */
function isHeader([name, value]: [string, unknown]): boolean {
  if (OF_CONNECTION.includes(name.toLowerCase())) return false;
  try {
    validateHeaderName(name);
    for (const one of Array.isArray(value) ? value : [value]) {
      if (typeof one !== 'string') return false;
      validateHeaderValue(name, one);
    }
    return true;
  } catch {
    return false;
  }
}
