import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SecretPort } from '../core/ports/aws.ts';

/**
 * Secrets Manager's secrets, the version that is current:
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
 *
 * @param clientIn a client of a region: a secret is read where it is
 */
export function secretsManager(clientIn: (region: string) => SecretsManagerClient): SecretPort {
  return async (arn) => {
    const [, , , region = ''] = arn.split(':');
    const { SecretString, SecretBinary } = await clientIn(region).send(
      new GetSecretValueCommand({ SecretId: arn }),
    );
    return SecretString ?? Buffer.from(SecretBinary ?? []).toString('utf8');
  };
}
