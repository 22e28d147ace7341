import {
  ApplicationAutoScalingClient,
  type PutScalingPolicyCommandInput,
} from '@aws-sdk/client-application-auto-scaling';
import {
  GetProvisionedConcurrencyConfigCommand,
  LambdaClient,
  PublishVersionCommand,
  PutProvisionedConcurrencyConfigCommand,
} from '@aws-sdk/client-lambda';
import { client } from '../../../local-aws/deployed.ts';
import type { LocalAws } from '../../../local-aws/start.ts';
import { makeFunction } from '../lambda.ts';

/** Waits as long as its event says, in milliseconds of its clock, and until a gate is open. */
const CODE = `export const handler = async ({ wait = 0, gate }) => {
  if (gate) await fetch(gate);
  await new Promise((done) => setTimeout(done, wait));
};`;

const PATIENCE_MS = 120_000;

/**
 * A version of a function as a scalable target: as good as an alias.
 * https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
 * (ResourceId)
 */
export const target = (name: string, qualifier = '1') => ({
  ServiceNamespace: 'lambda' as const,
  ResourceId: `function:${name}:${qualifier}`,
  ScalableDimension: 'lambda:function:ProvisionedConcurrency' as const,
});

/** A policy that holds the use of provisioned concurrency at this share. */
export const tracking = (
  TargetValue: number,
): Pick<PutScalingPolicyCommandInput, 'PolicyType' | 'TargetTrackingScalingPolicyConfiguration'> => ({
  PolicyType: 'TargetTrackingScaling',
  TargetTrackingScalingPolicyConfiguration: {
    TargetValue,
    PredefinedMetricSpecification: { PredefinedMetricType: 'LambdaProvisionedConcurrencyUtilization' },
  },
});

export type Scalable = {
  readonly lambda: LambdaClient;
  readonly scaling: ApplicationAutoScalingClient;
  /** Makes a function with a version 1 that holds so much provisioned concurrency. */
  readonly make: (name: string, provisioned: number) => Promise<void>;
  /** The provisioned concurrency of version 1; 0 where it has none. */
  readonly held: (name: string) => Promise<number>;
  /** Waits until what version 1 was given is there. */
  readonly ready: (name: string) => Promise<void>;
  /** Waits until it is this much, as long as a busy machine may need, and gives what it was last. */
  readonly becomes: (name: string, amount: number) => Promise<number>;
  readonly close: () => void;
};

export function scalable(aws: LocalAws): Scalable {
  const lambda = new LambdaClient({ ...client(aws.endpoint), maxAttempts: 1 });
  const scaling = new ApplicationAutoScalingClient({ ...client(aws.endpoint), maxAttempts: 1 });
  const held = async (FunctionName: string): Promise<number> =>
    lambda.send(new GetProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier: '1' })).then(
      (found) => found.RequestedProvisionedConcurrentExecutions ?? 0,
      () => 0,
    );
  return {
    lambda,
    scaling,
    held,
    make: async (name, provisioned) => {
      await makeFunction(aws, { name, code: CODE, timeout: 30 });
      await lambda.send(new PublishVersionCommand({ FunctionName: name }));
      const input = { FunctionName: name, Qualifier: '1', ProvisionedConcurrentExecutions: provisioned };
      if (provisioned > 0) await lambda.send(new PutProvisionedConcurrencyConfigCommand(input));
    },
    ready: async (FunctionName) => {
      const config = new GetProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier: '1' });
      while ((await lambda.send(config)).Status !== 'READY')
        await new Promise((resolve) => setTimeout(resolve, 100));
    },
    becomes: async (name, amount) => {
      const deadline = Date.now() + PATIENCE_MS;
      let last = await held(name);
      while (last !== amount && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        last = await held(name);
      }
      return last;
    },
    close: () => {
      lambda.destroy();
      scaling.destroy();
    },
  };
}
