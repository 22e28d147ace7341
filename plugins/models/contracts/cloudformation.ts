/** The little of CloudFormation that the plan speaks: plain data. */
export type Json = { readonly [key: string]: unknown };

export type Resource = {
  readonly Type: string;
  readonly Properties: Json;
  readonly Condition?: string;
  readonly DependsOn?: string | readonly string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
};

export type Statement = {
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: readonly unknown[];
};

/** @param resources ARNs, literal or as CloudFormation functions */
export function allow(actions: readonly string[], resources: readonly unknown[]): Statement {
  return { Effect: 'Allow', Action: actions, Resource: resources };
}

/**
 * An ARN of this account and region: `arn('lambda', 'function:shop-dev-churn')`. Literal names keep roles and
 * functions free of cycles.
 */
export function arn(service: string, resource: string): Json {
  return { 'Fn::Sub': `arn:\${AWS::Partition}:${service}:\${AWS::Region}:\${AWS::AccountId}:${resource}` };
}

/**
 * Stays when the template moves on or the stack goes; but what a failed deploy made goes, else no later one
 * could make it.
 */
export function kept<T extends Json>(
  resource: T,
): T & { readonly DeletionPolicy: string; readonly UpdateReplacePolicy: string } {
  return { ...resource, DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' };
}

export const getAtt = (logicalId: string, attribute: string): Json => ({
  'Fn::GetAtt': [logicalId, attribute],
});
