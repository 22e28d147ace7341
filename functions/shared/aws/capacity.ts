import {
  type ApplicationAutoScalingClient,
  DeregisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import {
  DeleteProvisionedConcurrencyConfigCommand,
  type LambdaClient,
  ListProvisionedConcurrencyConfigsCommand,
} from '@aws-sdk/client-lambda';
import { errorName } from './errors.ts';
import type { CapacityPort } from './ports.ts';

/** Provisioned concurrency and what scales it. */
export function provisionedCapacity(
  lambda: LambdaClient,
  scaling: ApplicationAutoScalingClient,
): CapacityPort {
  return {
    list: async (functionName) => {
      const found: string[] = [];
      let marker: string | undefined;
      try {
        do {
          const page = await lambda.send(
            new ListProvisionedConcurrencyConfigsCommand({ FunctionName: functionName, Marker: marker }),
          );
          for (const { FunctionArn } of page.ProvisionedConcurrencyConfigs ?? []) {
            const qualifier = FunctionArn?.split(':')[7];
            if (qualifier !== undefined) found.push(qualifier);
          }
          marker = page.NextMarker;
        } while (marker);
      } catch (error) {
        if (errorName(error) !== 'ResourceNotFoundException') throw error;
      }
      return found;
    },
    release: async (functionName, qualifier) => {
      try {
        await scaling.send(
          new DeregisterScalableTargetCommand({
            ServiceNamespace: 'lambda',
            ResourceId: `function:${functionName}:${qualifier}`,
            ScalableDimension: 'lambda:function:ProvisionedConcurrency',
          }),
        );
      } catch (error) {
        if (errorName(error) !== 'ObjectNotFoundException') throw error;
      }
      try {
        await lambda.send(
          new DeleteProvisionedConcurrencyConfigCommand({ FunctionName: functionName, Qualifier: qualifier }),
        );
      } catch (error) {
        if (!/ResourceNotFound|ProvisionedConcurrencyConfigNotFound/.test(errorName(error) ?? ''))
          throw error;
      }
    },
  };
}
