import { z } from 'zod';

/**
 * A key that may be written, told once: what its value may be, and beside it all that people are told of it.
 * The option table, the framework's schema, the fixes of problems and the type `Model` follow from that.
 */

/** What people are told of a key. */
type Words = {
  readonly description: string;
  /** What the number counts that the model has of it. */
  readonly unit?: string;
  readonly example?: string;
  /** What may be written, as the option table shows it; else what the type tells. */
  readonly type?: string;
  /** What to write in place of a wrong value; else what the complaint about it tells. */
  readonly fix?: string;
  /** A wrong text as it may be shown, where a secret may be in it. */
  readonly shown?: (text: string) => string;
};

type Told = Words & {
  /** As it may be written. */
  readonly default?: unknown;
  readonly required?: true;
};

/** What all keys of a kind have in common; `note` ends each of their descriptions. */
type Kind = Omit<Words, 'description' | 'example'> & { readonly note?: string };

const KINDS = z.registry<Kind>();
/** By the field of the key in its map. */
export const TOLD = z.registry<Told>();

/** A type that says more to people than zod knows of it. */
export function kind<T extends z.ZodType>(type: T, told: Kind): T {
  KINDS.add(type, told);
  return type;
}

/** A key of a map: with a default, required, or else absent where it is not written. */
function key<T extends z.ZodType>(type: T, told: Words & { readonly default: z.input<T> }): z.ZodPrefault<T>;
function key<T extends z.ZodType>(type: T, told: Words & { readonly required: true }): T;
function key<T extends z.ZodType>(type: T, told: Words): z.ZodOptional<T>;
function key(type: z.ZodType, told: Told): z.ZodType {
  const { note, ...common } = KINDS.get(type) ?? {};
  const description = note === undefined ? told.description : `${told.description} ${note}`;
  const field = fieldOf(type, told);
  TOLD.add(field, { ...common, ...told, description });
  return field;
}

export { key };

function fieldOf(type: z.ZodType, told: Told): z.ZodType {
  if (told.default !== undefined) return type.prefault(told.default);
  // A type may be that of several keys: each gets one of its own.
  return told.required ? type.clone() : type.optional();
}
