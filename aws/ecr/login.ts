import { type ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr';
import type { ImageLoginPort } from '../../core/ports/aws.ts';

/**
 * Who an account is at its own registry, for twelve hours:
 * https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
 */
export function ecrLogin(client: ECRClient): ImageLoginPort {
  return async () => {
    const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}));
    const { authorizationToken, proxyEndpoint } = authorizationData?.[0] ?? {};
    const [, username, password] =
      /^([^:]+):(.+)$/s.exec(Buffer.from(authorizationToken ?? '', 'base64').toString()) ?? [];
    if (username === undefined || password === undefined || proxyEndpoint === undefined)
      throw new Error('ECR answers without a token');
    return { username, password, url: proxyEndpoint.replace(/\/+$/, '') };
  };
}
