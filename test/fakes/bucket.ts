import { createHash } from 'node:crypto';
import { objectFault } from '../../core/errors/object-errors.ts';
import type { Files, Head, Located } from '../../core/ports/files.ts';
import type { Source } from '../../core/tabular/cells/format.ts';
import { type Chaos, calm } from './chaos.ts';

type Kept = {
  readonly bytes: Uint8Array;
  readonly etag: string;
  readonly metadata: Record<string, string>;
  readonly modified: string;
};

/** A bucket without versions, in memory. */
export function fakeBucket(chaos: Chaos = calm, clock: () => number = Date.now) {
  const objects = new Map<string, Kept>();
  const set = (key: string, body: Uint8Array | string, metadata: Record<string, string> = {}): Kept => {
    // A copy, as of what is sent: whose memory it was may use it again.
    const bytes = Buffer.from(body as Uint8Array);
    const etag = createHash('md5').update(bytes).digest('hex');
    const kept = { bytes, etag, metadata, modified: new Date(clock()).toISOString() };
    objects.set(key, kept);
    return kept;
  };
  const files: Files = {
    create: async (key, body, metadata) => {
      await chaos(`before create ${key}`);
      if (objects.has(key)) return 'there';
      set(key, body, { ...metadata });
      await chaos(`after create ${key}`);
      return 'created';
    },
    replace: async (key, body, etag) => {
      await chaos(`before replace ${key}`);
      if (objects.get(key)?.etag !== etag) return 'changed';
      set(key, body);
      await chaos(`after replace ${key}`);
      return 'ok';
    },
    read: async (key) => {
      await chaos(`before read ${key}`);
      const found = objects.get(key);
      return found && { text: Buffer.from(found.bytes).toString(), etag: found.etag };
    },
    head: async (key) => {
      await chaos(`before head ${key}`);
      const found = objects.get(key);
      return found && { bytes: found.bytes.length, metadata: found.metadata };
    },
    keys: async (prefix) => {
      await chaos(`before list ${prefix}`);
      return [...objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    },
    remove: async (key) => {
      await chaos(`before remove ${key}`);
      objects.delete(key);
      await chaos(`after remove ${key}`);
    },
  };
  return {
    objects,
    set,
    files,
    head: async ({ key }: Located): Promise<Head | undefined> => {
      await chaos(`before head ${key}`);
      const found = objects.get(key);
      return found && { etag: found.etag, bytes: found.bytes.length, modified: found.modified };
    },
    /** @param chunk bytes that come at once */
    source: ({ key }: Located, { etag, bytes }: Head, chunk = 7): Source => {
      const content = (): Uint8Array => {
        const found = objects.get(key);
        if (found === undefined) throw objectFault('GONE', 'The object was deleted while it was read.');
        if (found.etag !== etag)
          throw objectFault('CHANGED', 'The object was overwritten while it was read.');
        return found.bytes;
      };
      return {
        bytes,
        async *stream(start, end = bytes) {
          for (let at = start; at < end; at += chunk) {
            await chaos(`before read ${key}`);
            yield Uint8Array.from(content().subarray(at, Math.min(end, at + chunk)));
          }
        },
        range: async (start, end) => {
          await chaos(`before read ${key}`);
          return Uint8Array.from(content().subarray(start, end));
        },
      };
    },
  };
}
