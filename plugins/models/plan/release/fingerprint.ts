import type { Json } from '../../contracts/cloudformation.ts';

/**
 * What a version's behaviour follows from, as text to be hashed (a hash is no business of the plan): equal
 * texts mean that a candidate behaves as stable does and may be promoted at once.
 *
 * @param properties every versioned property of the compiled function, layers by their digests
 */
export function fingerprintText(identity: string, layer: string, properties: Json): string {
  return JSON.stringify([identity, layer, sorted(properties)]);
}

/** Keys in order at every depth: neither the framework nor the user's YAML promises one. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
