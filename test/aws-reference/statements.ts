/** The statements of policies, wherever a template or a page has them. */
import { type Template, textOf } from './intrinsics.ts';
import type { Statement } from './permissions.ts';

type Raw = {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource?: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

/**
 * All below a value: identity policies, trust policies and those of buckets, topics and queues.
 * @param where file and resource
 */
export function statementsIn(value: unknown, where: string, template: Template = {}): readonly Statement[] {
  if (typeof value !== 'object' || value === null) return [];
  if (isStatement(value)) return [statement(value, where, template)];
  return Object.entries(value).flatMap(([key, one]) =>
    // The number tells two statements without a Sid apart.
    statementsIn(one, /^\d+$/.test(key) ? `${where} ${Number(key) + 1}` : where, template),
  );
}

/** Every policy of a template, and every permission of a function. */
export const statementsOf = (template: Template, file: string): readonly Statement[] =>
  Object.entries(template.Resources ?? {}).flatMap(([id, { Type, Properties = {} }]) =>
    Type === 'AWS::Lambda::Permission'
      ? [permission(Properties, `${file}: ${id}`, template)]
      : statementsIn(Properties, `${file}: ${id}`, template),
  );

function isStatement(value: object): value is Raw {
  if (!('Effect' in value)) return false;
  if (!('Action' in value) || 'NotAction' in value || 'NotResource' in value)
    throw new Error(`A statement that does not name its actions and resources: ${JSON.stringify(value)}`);
  return true;
}

function statement(raw: Raw, where: string, template: Template): Statement {
  return {
    where: raw.Sid === undefined ? where : `${where} ${raw.Sid}`,
    actions: [raw.Action].flat(),
    resources: (raw.Resource === undefined ? [] : [raw.Resource].flat()).map((one) => textOf(one, template)),
    conditions: Object.values(raw.Condition ?? {}).flatMap(Object.keys),
  };
}

/** `AWS::Lambda::Permission` becomes a statement of the function's policy. */
function permission(
  { Action, FunctionName }: Readonly<Record<string, unknown>>,
  where: string,
  template: Template,
): Statement {
  return { where, actions: [String(Action)], resources: [textOf(FunctionName, template)], conditions: [] };
}
