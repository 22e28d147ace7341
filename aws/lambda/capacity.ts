import {
  type ApplicationAutoScalingClient,
  DeregisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import {
  DeleteProvisionedConcurrencyConfigCommand,
  GetAccountSettingsCommand,
  GetFunctionConcurrencyCommand,
  GetProvisionedConcurrencyConfigCommand,
  type LambdaClient,
  ListProvisionedConcurrencyConfigsCommand,
  PutProvisionedConcurrencyConfigCommand,
} from '@aws-sdk/client-lambda';
import { errorName, messageOf } from '../../core/errors/aws-errors.ts';
import type { CapacityPort, Provided } from '../../core/ports/aws.ts';
import { scalableTarget, scale } from './scaling.ts';

/**
 * Provisioned concurrency and what scales it.
 * @param clock milliseconds since the epoch; a version is registered with the range that its schedules have
 * in force then
 */
export function provisionedCapacity(
  lambda: LambdaClient,
  scaling: ApplicationAutoScalingClient,
  clock: () => number = Date.now,
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
        // Takes its policies, their alarms and its scheduled actions along:
        // https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DeregisterScalableTarget.html
        await scaling.send(new DeregisterScalableTargetCommand(scalableTarget(functionName, qualifier)));
      } catch (error) {
        if (errorName(error) !== 'ObjectNotFoundException') throw error;
      }
      try {
        await lambda.send(
          new DeleteProvisionedConcurrencyConfigCommand({ FunctionName: functionName, Qualifier: qualifier }),
        );
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    },
    provide: async (functionName, version, instances) => {
      try {
        await lambda.send(
          new PutProvisionedConcurrencyConfigCommand({
            FunctionName: functionName,
            Qualifier: version,
            ProvisionedConcurrentExecutions: instances,
          }),
        );
        return 'ok';
      } catch (error) {
        // Beyond the function's reservation, or what the account must leave unreserved; or the version is
        // gone.
        if (errorName(error) === 'InvalidParameterValueException' || isMissing(error))
          return { refused: messageOf(error) };
        throw error;
      }
    },
    provided: async (functionName, version) => {
      try {
        const found = await lambda.send(
          new GetProvisionedConcurrencyConfigCommand({ FunctionName: functionName, Qualifier: version }),
        );
        return {
          requested: found.RequestedProvisionedConcurrentExecutions ?? 0,
          ready: found.AvailableProvisionedConcurrentExecutions ?? 0,
          state: STATES[found.Status ?? ''] ?? 'inProgress',
          ...(found.StatusReason !== undefined && { reason: found.StatusReason }),
        };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    scale: (functionName, version, to) => scale(scaling, functionName, version, to, clock),
    limits: instanceLimits(lambda),
  };
}

/** How many instances a function may have at once, for whoever needs nothing else of its capacity. */
export const instanceLimits =
  (lambda: LambdaClient): CapacityPort['limits'] =>
  async (functionName) => {
    const [own, account] = await Promise.all([
      lambda.send(new GetFunctionConcurrencyCommand({ FunctionName: functionName })),
      lambda.send(new GetAccountSettingsCommand({})),
    ]);
    const unreserved = account.AccountLimit?.UnreservedConcurrentExecutions;
    if (unreserved === undefined) throw new Error('Lambda does not say what the account has unreserved');
    const reserved = own.ReservedConcurrentExecutions;
    return { ...(reserved !== undefined && { reserved }), unreserved };
  };

/** https://docs.aws.amazon.com/lambda/latest/api/API_GetProvisionedConcurrencyConfig.html */
const STATES: Readonly<Record<string, Provided['state']>> = {
  READY: 'ready',
  IN_PROGRESS: 'inProgress',
  FAILED: 'failed',
};

const isMissing = (error: unknown): boolean =>
  /^(ResourceNotFoundException|ProvisionedConcurrencyConfigNotFoundException)$/.test(errorName(error) ?? '');
