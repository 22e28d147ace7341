import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '../../../../../plugins/models/contracts/cloudformation.ts';
import type { DeployedStack, Made } from '../../../../../plugins/models/releases/alias/intrinsics.ts';
import { root } from '../../../docs/pages.ts';

type Resources = Readonly<Record<string, { readonly Type: string; readonly Properties?: Json }>>;

/** Physical ids of the kinds that are not the name that one gives. */
const PHYSICAL: Readonly<Record<string, (id: string) => string>> = {
  'AWS::ElasticLoadBalancingV2::TargetGroup': (id) =>
    `arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/${id}/1`,
  'AWS::SNS::Topic': (id) => `arn:aws:sns:us-east-1:123456789012:${id}`,
  'AWS::SQS::Queue': (id) => `https://sqs.us-east-1.amazonaws.com/123456789012/${id}`,
  // Identified by two things together.
  'AWS::ApiGateway::Deployment': (id) => `api|${id}`,
  'Custom::ModelAlias': () => 'shop-dev-churn:live',
};

/** A stack as CloudFormation would have made it of these resources. */
export function stackOf(resources: Resources): DeployedStack {
  const made = Object.entries(resources).map(([id, { Type, Properties = {} }]): [string, Made] => {
    const physical =
      id === 'ChurnLambdaFunction' ? 'shop-dev-churn' : (PHYSICAL[Type]?.(id) ?? `shop-dev-${id}-ABC`);
    return [id, { type: Type, physical, properties: Properties }];
  });
  return {
    name: 'shop-dev',
    partition: 'aws',
    region: 'us-east-1',
    account: '123456789012',
    resources: new Map(made),
  };
}

export const goldenStack = (file: string): DeployedStack =>
  stackOf(
    (
      JSON.parse(readFileSync(join(root, 'test', 'golden', file), 'utf8')) as {
        readonly Resources: Resources;
      }
    ).Resources,
  );
