import type { LogPort } from '../../core/drift/ports.ts';
import { type Chaos, calm } from './chaos.ts';

type Event = { readonly at: number; readonly message: string };

/** CloudWatch Logs, in memory. @param pageSize events that a page searches: it may find none of them */
export function fakeLogs(chaos: Chaos = calm, pageSize = 3) {
  const groups = new Map<string, Event[]>();
  const port: LogPort = {
    async *lines(group, member, from, to) {
      const events = groups.get(group);
      if (events === undefined)
        throw Object.assign(new Error(`The specified log group does not exist: ${group}`), {
          name: 'ResourceNotFoundException',
        });
      const within = events.filter(({ at }) => at >= from && at < to).sort((one, other) => one.at - other.at);
      for (let first = 0; first === 0 || first < within.length; first += pageSize) {
        await chaos('before read logs');
        yield within
          .slice(first, first + pageSize)
          .map(({ message }) => message)
          .filter((message) => hasText(message, member));
      }
    },
  };
  return {
    port,
    /** Makes a group. */
    make: (group: string): void => {
      if (!groups.has(group)) groups.set(group, []);
    },
    put: (group: string, at: number, ...messages: readonly string[]): void => {
      const events = groups.get(group) ?? [];
      groups.set(group, events);
      events.push(...messages.map((message) => ({ at, message })));
    },
  };
}

function hasText(message: string, member: string): boolean {
  try {
    const document: unknown = JSON.parse(message);
    if (typeof document !== 'object' || document === null || Array.isArray(document)) return false;
    return typeof (document as Readonly<Record<string, unknown>>)[member] === 'string';
  } catch {
    return false;
  }
}
