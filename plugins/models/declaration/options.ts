import { z } from 'zod';
import { declaration, declarations, innermost, mapIn, serviceOptions } from './schema.ts';

/**
 * What follows from the schema: the table of options in docs/reference.md, and the JSON Schema for the
 * framework.
 */

/** One line of the option table. */
export type Option = {
  /** Such as `http.throttle.rate`. */
  readonly key: string;
  readonly type: string;
  /** As written in YAML; absent when there is none. */
  readonly default?: string;
  readonly required: boolean;
  readonly description: string;
  readonly example?: string;
};

/** Every key below `models.<name>`, in the order of the schema. */
export const options = (): readonly Option[] => optionsOf(declaration, '');

/** Every key below `custom.models`. */
export const optionsOfService = (): readonly Option[] => optionsOf(serviceOptions, '');

/** @returns the options as a Markdown table, for docs/reference.md. */
export function optionTable(): string {
  const row = (prefix: string) => (option: Option) => {
    const standard =
      option.default ??
      (option.required ? '**required**' : option.example ? `e.g. \`${option.example}\`` : '');
    return `| \`${prefix}${option.key}\` | ${option.type} | ${standard} | ${option.description} |`;
  };
  return [
    '| key | type | default | |',
    '| --- | --- | --- | --- |',
    ...options().map(row('models.<name>.')),
    ...optionsOfService().map(row('custom.models.')),
  ].join('\n');
}

/**
 * The JSON Schema (draft 7) that the framework gets, for `models` or for `custom.models`. It says what there
 * is, what it means, and the way to `function:`, and no more: the framework stops at its own complaints and
 * knows no nearest names, while `parseModels` reports everything at once. (And AJV in strict mode refuses
 * unions of plain types.)
 *
 * @param functionSchema the framework's own one for functions: `function:` is checked and coerced as any
 * function is
 */
export function frameworkSchema(
  of: 'models' | 'custom',
  functionSchema: object = { type: 'object' },
): Record<string, unknown> {
  const strict = z.toJSONSchema(of === 'models' ? declarations : serviceOptions, {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
  });
  return structureOf(strict as JsonSchema, functionSchema);
}

type JsonSchema = { readonly [key: string]: unknown };

function structureOf(schema: JsonSchema, functionSchema: object): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  if (typeof schema.description === 'string') out.description = schema.description;
  if (!leadsToFunction(schema)) return out;
  out.type = 'object';
  if (isSchema(schema.properties)) {
    out.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([key, value]) => [
        key,
        key === 'function' ? functionSchema : isSchema(value) ? structureOf(value, functionSchema) : {},
      ]),
    );
  }
  if (isSchema(schema.additionalProperties))
    out.additionalProperties = structureOf(schema.additionalProperties, functionSchema);
  return out;
}

/** A type here means one complaint of the framework's instead of all of ours. */
function leadsToFunction({ properties, additionalProperties }: JsonSchema): boolean {
  if (isSchema(properties) && 'function' in properties) return true;
  return isSchema(additionalProperties) && leadsToFunction(additionalProperties);
}

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function optionsOf(schema: z.ZodObject, prefix: string): readonly Option[] {
  return Object.entries(schema.shape).flatMap(([name, field]) => {
    const inner = innermost(field);
    const standard = standardOf(field);
    const meta = z.globalRegistry.get(field) ?? {};
    const key = `${prefix}${name}`;
    const own: Option = {
      key,
      type: typeof meta.type === 'string' ? meta.type : typeName(inner),
      required: standard === undefined && !(field instanceof z.ZodOptional),
      description: meta.description ?? '',
      ...(typeof meta.example === 'string' && { example: meta.example }),
      ...(standard !== undefined && !(inner instanceof z.ZodObject) && { default: `\`${yaml(standard)}\`` }),
    };
    const below = mapIn(field);
    if (below === undefined) return [own];
    return [own, ...optionsOf(below, `${key}${inner instanceof z.ZodArray ? '[]' : ''}.`)];
  });
}

const standardOf = (field: unknown): unknown =>
  field instanceof z.ZodDefault || field instanceof z.ZodPrefault ? field.def.defaultValue : undefined;

function typeName(field: unknown): string {
  if (field instanceof z.ZodEnum) return field.options.map((option) => `\`${option}\``).join(' \\| ');
  if (field instanceof z.ZodObject || field instanceof z.ZodRecord) return 'object';
  return 'string';
}

const yaml = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
