import { isObject } from '../../../../core/json/is-object.ts';
import type { Json } from '../../contracts/cloudformation.ts';

/** Policies of a role as it stands in a template, the first of which is ours. */

export const policiesOf = (role: Json | undefined): readonly Json[] => {
  const policies = isObject(role?.Properties) ? role.Properties.Policies : undefined;
  return Array.isArray(policies) ? policies.filter(isObject) : [];
};

export const statementsIn = ({ PolicyDocument: document }: Json): readonly Json[] =>
  isObject(document) && Array.isArray(document.Statement) ? document.Statement.filter(isObject) : [];

/** Statements of the first policy. */
export const ownStatements = (role: Json | undefined): readonly Json[] =>
  policiesOf(role).slice(0, 1).flatMap(statementsIn);

/** The role with these in its first policy; as it is, where it has none. */
export function withOwnStatements(role: Json, statements: readonly Json[]): Json {
  const [policy, ...others] = policiesOf(role);
  if (policy === undefined) return role;
  const document = isObject(policy.PolicyDocument) ? policy.PolicyDocument : {};
  const properties = isObject(role.Properties) ? role.Properties : {};
  const own = { ...policy, PolicyDocument: { ...document, Statement: statements } };
  return { ...role, Properties: { ...properties, Policies: [own, ...others] } };
}
