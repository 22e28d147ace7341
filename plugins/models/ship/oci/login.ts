import { ecrClient } from '../../../../aws/clients/ecr.ts';
import { ecrLogin } from '../../../../aws/ecr/login.ts';
import type { ImageLoginPort } from '../../../../core/ports/aws.ts';
import type { AwsConfig } from '../../../../core/ports/config.ts';
import { awsFix } from '../../context/aws-fix.ts';
import { dockerLogin } from './docker-login.ts';
import { type RegistryLimits, registryFault } from './exchange.ts';
import type { ImageReference } from './reference.ts';
import { type ImageRepository, openRepository } from './registry.ts';

/**
 * Names of registries in every partition, also of FIPS and of IPv6. Only AWS can have names below these.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
 */
const ECR =
  /^\d{12}\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.(?:com|com\.cn|eu)|on\.(?:aws|amazonwebservices\.com\.cn)|c2s\.ic\.gov|sc2s\.sgov\.gov|csp\.hci\.ic\.gov|cloud\.adc-e\.uk)$/;

/** @returns the region of a registry of an account at ECR */
export const ecrRegionOf = (host: string): string | undefined => ECR.exec(host)?.[1];

/** What to do where a registry refuses. @param what that one may not do: `push there` */
export const loginFix = (host: string, what: string): string =>
  ecrRegionOf(host) === undefined
    ? `Log in with \`docker login ${host}\`, as somebody who may ${what}.`
    : `Check credentials and --aws-profile: ECR is asked with AWS’s, by somebody who may ${what}.`;

/**
 * A repository, asked as who we are there: at ECR by the service's own credentials, elsewhere by Docker's.
 *
 * @param login in place of ECR's own
 */
export async function registryFor(
  place: Omit<ImageReference, 'tag' | 'digest'>,
  {
    aws,
    write = false,
    limits,
    login = (region) => ecrLogin(ecrClient({ ...aws, region }))(),
  }: {
    readonly aws: AwsConfig;
    readonly write?: boolean;
    readonly limits?: RegistryLimits;
    readonly login?: (region: string) => ReturnType<ImageLoginPort>;
  },
): Promise<ImageRepository> {
  const how = { write, ...(limits && { limits }) };
  const region = ecrRegionOf(place.host);
  if (region === undefined)
    return openRepository(place, {
      ...how,
      login: () => dockerLogin(place),
      tokenLogin: (host) => dockerLogin({ host, repository: '' }),
    });
  const { url, username, password } = await login(region).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    // Where AWS refuses, what to do depends on what is to be done there.
    const fix = awsFix(error, '');
    throw registryFault('refused', `gives no login (ecr:GetAuthorizationToken): ${why}`, {
      cause: error,
      ...(fix !== '' && { fix }),
    });
  });
  // Another account's registry takes the same token at its own address. An AWS that is none of Amazon's has
  // its registry somewhere else.
  const isOfAws = ecrRegionOf(new URL(url).host) !== undefined;
  return openRepository(isOfAws ? place : { ...place, url }, {
    ...how,
    login: async () => ({ username, password }),
  });
}
