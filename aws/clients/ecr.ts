import { ECRClient, type ECRClientConfig } from '@aws-sdk/client-ecr';

export const ecrClient = (config: ECRClientConfig = {}): ECRClient => new ECRClient(config);
