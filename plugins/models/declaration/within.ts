import { z } from 'zod';

/** What zod keeps inside of what. */

/** The type inside of defaults, options and coercions: of what is written, not of what becomes of it. */
export function innermost(type: z.core.$ZodType): z.core.$ZodType {
  if (type instanceof z.ZodDefault || type instanceof z.ZodPrefault || type instanceof z.ZodOptional)
    return innermost(type.unwrap());
  if (!(type instanceof z.ZodPipe)) return type;
  return innermost(type.out instanceof z.ZodTransform ? type.in : type.out);
}

/** The map that a type is, may be, or is a list of; undefined for a plain value. */
export function mapIn(type: z.core.$ZodType): z.ZodObject | undefined {
  const inner = innermost(type);
  if (inner instanceof z.ZodObject) return inner;
  if (inner instanceof z.ZodArray) return mapIn(inner.element);
  return inner instanceof z.ZodUnion ? inner.options.map(mapIn).find((map) => map !== undefined) : undefined;
}

/** What stands under a name: of a map by its keys, of a record under any. */
export function under(type: z.core.$ZodType, name: string): z.core.$ZodType | undefined {
  const inner = innermost(type);
  return inner instanceof z.ZodRecord ? inner.valueType : mapIn(inner)?.shape[name];
}
