import {
  ApplicationAutoScalingClient,
  DescribeScalableTargetsCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { client } from '../../../local-aws/deployed.ts';
import type { LocalAws } from '../../../local-aws/start.ts';
import type { Concurrency } from '../../../plugins/models/declaration/model.ts';
import type { Shop } from './shop.ts';

/** Provisioned instances that a deploy declares. */
export const holds = (min: number, max = 4): { readonly concurrency: Concurrency } => ({
  concurrency: { provisioned: { min, max, target: 0.7 }, schedule: [] },
});

/** What scales by use: `<version>: <min>-<max>`. */
export async function targets(aws: LocalAws, { functionName }: Shop): Promise<readonly string[]> {
  const scaling = new ApplicationAutoScalingClient(client(aws.endpoint));
  const { ScalableTargets = [] } = await scaling.send(
    new DescribeScalableTargetsCommand({ ServiceNamespace: 'lambda' }),
  );
  scaling.destroy();
  return ScalableTargets.flatMap(({ ResourceId = '', MinCapacity, MaxCapacity }) => {
    const [, name, version] = ResourceId.split(':');
    return name === functionName ? [`${version}: ${MinCapacity}-${MaxCapacity}`] : [];
  });
}
