import type { ObjectPort } from '../../core/ports/aws.ts';
import { type Chaos, calm } from './chaos.ts';

/** A bucket with conditional writes, in memory. */
export function fakeObjects(chaos: Chaos = calm) {
  const objects = new Map<string, { readonly text: string; readonly etag: string }>();
  let writes = 0;
  const set = (key: string, text: string): void => {
    writes += 1;
    objects.set(key, { text, etag: `"${writes}"` });
  };
  const port: ObjectPort = {
    get: async (key, most = Number.POSITIVE_INFINITY) => {
      await chaos(`before get ${key}`);
      const found = objects.get(key);
      return found !== undefined && Buffer.byteLength(found.text) > most ? undefined : found;
    },
    create: async (key, text) => {
      await chaos(`before create ${key}`);
      if (objects.has(key)) return 'changed';
      set(key, text);
      await chaos(`after create ${key}`);
      return 'ok';
    },
    replace: async (key, text, etag) => {
      await chaos(`before replace ${key}`);
      if (objects.get(key)?.etag !== etag) return 'changed';
      set(key, text);
      await chaos(`after replace ${key}`);
      return 'ok';
    },
    list: async (prefix) => {
      await chaos(`before list ${prefix}`);
      return [...objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    },
  };
  return { port, objects, set };
}
