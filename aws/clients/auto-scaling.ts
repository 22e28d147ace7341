import {
  ApplicationAutoScalingClient,
  type ApplicationAutoScalingClientConfig,
} from '@aws-sdk/client-application-auto-scaling';

export const autoScalingClient = (
  config: ApplicationAutoScalingClientConfig = {},
): ApplicationAutoScalingClient => new ApplicationAutoScalingClient(config);
