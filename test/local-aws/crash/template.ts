import type { Settings } from '../../../core/release/document/settings-contract.ts';

export type Deploy = {
  readonly version: string;
  /** Default: one of its own. */
  readonly fingerprint?: string;
  readonly settings: Settings;
  /** A resource behind the alias: so many minutes later it ends so. */
  readonly tail?: { readonly minutes: number; readonly status: 'SUCCESS' | 'FAILED' };
};

/**
 * A stack with nothing but an alias, and perhaps a tail. `teller`: ARN of the function that gets the
 * resources’ events.
 */
export function template({
  version,
  fingerprint = `fingerprint-${version}`,
  settings,
  tail,
  teller,
  functionName,
  model,
}: Deploy & { readonly teller: string; readonly functionName: string; readonly model: string }): string {
  const token = { ServiceToken: teller, ServiceTimeout: 600 };
  const Properties = {
    ...token,
    FunctionName: functionName,
    Alias: 'live',
    Model: model,
    Version: version,
    Fingerprint: fingerprint,
    Identity: `identity-${version}`,
    Layer: 'layer',
    Source: 'source',
    Settings: JSON.stringify(settings),
  };
  return JSON.stringify({
    Resources: {
      Alias: { Type: 'Custom::ModelAlias', Properties },
      ...(tail && { [`Tail${version}`]: { Type: 'Custom::Tail', DependsOn: ['Alias'], Properties: token } }),
    },
  });
}
