import { SageMakerClient, type SageMakerClientConfig } from '@aws-sdk/client-sagemaker';

export const sageMakerClient = (config: SageMakerClientConfig = {}): SageMakerClient =>
  new SageMakerClient(config);
