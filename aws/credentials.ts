import { fromNodeProviderChain } from '@aws-sdk/credential-providers';
import type { AwsConfig } from '../core/ports/config.ts';

/** Credentials where the AWS CLI looks for them. @param profile absent: the default one */
export const credentialsOf = (profile: string | undefined, clientConfig: Omit<AwsConfig, 'credentials'>) =>
  fromNodeProviderChain({ ...(profile !== undefined && { profile }), clientConfig })();
