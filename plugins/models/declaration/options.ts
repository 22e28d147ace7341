import { z } from 'zod';
import { TOLD } from './keys/key.ts';
import { declaration, serviceOptions } from './schema.ts';
import { innermost, mapIn } from './within.ts';

/**
 * What follows from the schema: the table of options in docs/reference.md, and the JSON Schema for the
 * framework.
 */

/** One line of the option table. */
export type Option = {
  /** For example `http.throttle.rate`. */
  readonly key: string;
  readonly type: string;
  /** As written in YAML; absent when there is none. */
  readonly default?: string;
  readonly required: boolean;
  readonly description: string;
  readonly example?: string;
  /** The unit of the number in the model. */
  readonly unit?: string;
  /** What to write in place of a wrong value, where the complaint does not tell. */
  readonly fix?: string;
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
 * The JSON Schema that the framework gets, for `models`; `any` is that of `custom.models`. It says what there
 * is, what it means, and the way to `function:`, and no more: the framework stops at its own complaints and
 * knows no nearest names, while `parseModels` reports everything at once. (And AJV in strict mode refuses
 * unions of plain types.)
 *
 * @param functionSchema the framework's own one for functions: `function:` is checked and coerced as any
 * function is
 */
export function frameworkSchema(
  of: 'models' | 'any',
  functionSchema: object = { type: 'object' },
): Record<string, unknown> {
  if (of === 'any') return {};
  const properties = options()
    .filter(({ key }) => !key.includes('.'))
    .map(({ key, description }) => [key, key === 'function' ? functionSchema : { description }] as const);
  return {
    type: 'object',
    additionalProperties: { type: 'object', properties: Object.fromEntries(properties) },
  };
}

function optionsOf(map: z.core.$ZodType, prefix: string): readonly Option[] {
  return Object.entries(mapIn(map)?.shape ?? {}).flatMap(([name, field]) => {
    const inner = innermost(field);
    const key = `${prefix}${name}`;
    const told = TOLD.get(field);
    if (told === undefined) throw new Error(`Nothing is told of the key ${key}.`);
    const { type = typeName(inner), description, unit, example, fix, required = false } = told;
    const hasDefault = told.default !== undefined && !(inner instanceof z.ZodObject);
    const own: Option = {
      ...{ key, type, required, description },
      ...(unit !== undefined && { unit }),
      ...(example !== undefined && { example }),
      ...(fix !== undefined && { fix }),
      ...(hasDefault && { default: `\`${yaml(told.default)}\`` }),
    };
    if (inner instanceof z.ZodRecord && mapIn(inner.valueType) !== undefined)
      return [own, ...optionsOf(inner.valueType, `${key}.<name>.`)];
    return [own, ...optionsOf(field, `${key}${inner instanceof z.ZodArray ? '[]' : ''}.`)];
  });
}

function typeName(type: unknown): string {
  if (type instanceof z.ZodEnum) return type.options.map((option) => `\`${option}\``).join(' \\| ');
  if (type instanceof z.ZodObject || type instanceof z.ZodRecord) return 'object';
  if (type instanceof z.ZodNumber) return type.isInt ? 'integer' : 'number';
  if (type instanceof z.ZodBoolean) return 'boolean';
  return type instanceof z.ZodArray ? 'list' : 'string';
}

const yaml = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
