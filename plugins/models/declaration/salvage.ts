import type { z } from 'zod';
import { isObject } from '../../../core/json/is-object.ts';
import { at } from './issues.ts';
import { type Declaration, declaration } from './schema.ts';

/**
 * The declaration without what is wrong with it, so that rules between the other keys are checked in the same
 * run. A faulty item takes its whole list along, and a missing key what should hold it.
 */
export function salvaged(given: unknown, issues: readonly z.core.$ZodIssue[]): Declaration | undefined {
  if (!isObject(given)) return undefined;
  const rest = structuredClone(given);
  let left = issues;
  for (let pass = 0; pass < DEPTH && left.length > 0; pass += 1) {
    for (const { path, ...issue } of left) {
      const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((name) => [...path, name]) : [path];
      for (const wrong of paths) drop(rest, wrong);
    }
    const parsed = declaration.safeParse({ artifact: 'missing.onnx', ...rest });
    if (parsed.success) return parsed.data;
    left = parsed.error.issues;
  }
  return undefined;
}

/** Maps inside one another in a declaration, at most. */
const DEPTH = 4;

function drop(from: unknown, path: readonly PropertyKey[]): void {
  const item = path.findIndex((part) => typeof part === 'number');
  const shown = item === -1 ? path : path.slice(0, item);
  const there = at(from, shown) === undefined ? shown.slice(0, -1) : shown;
  const holder = at(from, there.slice(0, -1));
  const name = there.at(-1);
  if (isObject(holder) && name !== undefined) delete (holder as Record<PropertyKey, unknown>)[name];
}
