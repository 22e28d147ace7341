import { isObject, type Json, type Statement } from './cloudformation.ts';

type AnyStatement = Json & { readonly Action?: unknown; readonly Resource?: unknown };

/**
 * The framework widens its shared role by what every function needs, also by one that has a role of its own. A
 * service's own functions stay untouched beside models, so what only the models brought is taken out again.
 *
 * @param statements of the framework's role
 * @param kept statements that the user wrote there: never touched
 * @param ours,users what the models' and the service's own functions need
 */
export function withoutOurs(
  statements: readonly AnyStatement[],
  kept: ReadonlySet<unknown>,
  ours: readonly Statement[],
  users: readonly Statement[],
): readonly AnyStatement[] {
  return statements.flatMap((statement): AnyStatement[] => {
    if (kept.has(statement) || statement.Effect !== 'Allow') return [statement];
    const actions = JSON.stringify([statement.Action].flat());
    const of = (list: readonly Statement[]): Set<string> =>
      new Set(
        list
          .filter(({ Action }) => JSON.stringify(Action) === actions)
          .flatMap(({ Resource }) => Resource.map((entry) => JSON.stringify(entry))),
      );
    const [mine, theirs] = [of(ours), of(users)];
    const resources = [statement.Resource].flat();
    const left = resources.filter(
      (entry) => !mine.has(JSON.stringify(entry)) || theirs.has(JSON.stringify(entry)),
    );
    if (left.length === resources.length) return [statement];
    return left.length === 0 ? [] : [{ ...statement, Resource: left }];
  });
}

/** Sources of events as the framework refers to them in the template, for the functions with these logical ids. */
export function mappedSources(
  resources: Readonly<Record<string, unknown>>,
  functions: ReadonlySet<string>,
): readonly unknown[] {
  return Object.values(resources).flatMap((resource) => {
    if (
      !isObject(resource) ||
      resource.Type !== 'AWS::Lambda::EventSourceMapping' ||
      !isObject(resource.Properties)
    )
      return [];
    const target = JSON.stringify(resource.Properties.FunctionName);
    return [...functions].some((id) => target.includes(`"${id}"`))
      ? [resource.Properties.EventSourceArn]
      : [];
  });
}
