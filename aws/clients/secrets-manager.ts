import { SecretsManagerClient, type SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';

export const secretsManagerClient = (config: SecretsManagerClientConfig = {}): SecretsManagerClient =>
  new SecretsManagerClient(config);
