import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Resource, Template } from './intrinsics.ts';

const golden = join(import.meta.dirname, '..', '..', 'test', 'golden');

/** Every golden template, those of single frameworks too, by its path below the folder. */
export const goldens: readonly (readonly [file: string, template: Template])[] = globSync(
  '**/template.json',
  {
    cwd: golden,
  },
)
  .sort()
  .map((file) => [file, JSON.parse(readFileSync(join(golden, file), 'utf8'))]);

/** All resources of a type. */
export const ofType = (
  type: string,
): readonly {
  readonly where: string;
  readonly template: Template;
  readonly properties: NonNullable<Resource['Properties']>;
}[] =>
  goldens.flatMap(([file, template]) =>
    Object.entries(template.Resources ?? {})
      .filter(([, { Type }]) => Type === type)
      .map(([id, { Properties = {} }]) => ({ where: `${file}: ${id}`, template, properties: Properties })),
  );
