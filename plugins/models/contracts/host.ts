import type { EncryptionHeaders } from '../../../core/ports/config.ts';
import type { Model } from '../declaration/model.ts';
import { lambdaName } from '../declaration/naming.ts';
import type { Json } from './cloudformation.ts';

/** The service that the models live in, as plain data: what serverless.ts reads from the framework. */
export type Host = {
  readonly service: string;
  readonly stage: string;
  readonly region: string;
  /** CloudFormation stack. */
  readonly stack: string;
  /** `provider`, as the framework resolved it. */
  readonly provider: Provider;
  /** How many versions serverless-prune-plugin keeps after each deploy, where it is there and does. */
  readonly prunePlugin?: unknown;
  /** The service's own functions. */
  readonly functions: Readonly<Record<string, FunctionDefinition>>;
  /**
   * Does the service itself mention a VPC? As first read: compiling writes an empty `vpc` into every
   * function.
   */
  readonly hasVpc?: boolean;
  /** Name of the deployment bucket, or a reference to it. */
  readonly bucket: unknown;
  /** What objects in it are encrypted with, where `provider.deploymentBucket` says so. */
  readonly encryption?: EncryptionHeaders | undefined;
  /** Logical ids of the buckets that the service's own `resources` make, by name. */
  readonly buckets?: Readonly<Record<string, string>>;
  /** Those of log groups, likewise. */
  readonly logGroups?: Readonly<Record<string, string>>;
  /**
   * Logical ids in the service's own `resources`, which the framework merges into the template when all else
   * is in it: what they make or change, and what `extensions` change.
   */
  readonly declared?: readonly string[];
  readonly extended?: readonly string[];
  /**
   * Key prefix of what the framework keeps of this service and stage, ending in `/`; it empties it on remove.
   */
  readonly prefix: string;
};

/** What of `provider` the plan reads. */
export type Provider = Json & {
  readonly iam?: { readonly role?: unknown; readonly deploymentRole?: unknown };
  readonly role?: unknown;
  readonly httpApi?: Json & { readonly authorizers?: Json };
};

/** A function of the framework, ours or the user's. */
export type FunctionDefinition = Json & {
  readonly name?: string;
  readonly events?: readonly unknown[];
};

/**
 * The role that the provider names for every function: an ARN, a logical id or a reference; undefined: the
 * framework makes one, also where a variable left null or an empty text.
 */
export function providerRole({ iam, role }: Provider): unknown {
  const named = iam?.role;
  if (typeof named === 'string') return named;
  if (typeof named === 'object' && named !== null && Object.keys(named).some((key) => key.includes('::')))
    return named;
  return role || undefined;
}

/** `provider.iam.role` as settings of the framework's role. */
export function roleSettings({ iam }: Provider): Json {
  return typeof iam?.role === 'object' && iam.role !== null ? (iam.role as Json) : {};
}

/** Whose something is that stands outside of the stack. */
export const makerOf = ({ service, stage }: Pick<Host, 'service' | 'stage'>): string => `${service}/${stage}`;

/** Lambda’s name of a model’s function. */
export const nameOf = (model: Model, host: Host): string =>
  typeof model.function.name === 'string'
    ? model.function.name
    : lambdaName(host.service, host.stage, model.name);

/** Does the model bring or get a role of the user's, so that none is made? */
export const hasNamedRole = (model: Model, host: Host): boolean =>
  Boolean(model.function.role) || providerRole(host.provider) !== undefined;
