import { addressIn, isAtAddress } from '../../../../core/origin/address.ts';
import type { ArtifactOrigin } from '../../../../core/origin/contract.ts';
import { WORKER_ENV } from '../../../../core/release/document/worker-contract.ts';
import { allow, type Json, type Statement } from '../../contracts/cloudformation.ts';
import type { ServiceOptions } from '../../declaration/model.ts';

/** MLflow is told what is live: what the release worker needs for that, and what it will write. */

/** Environment of the worker. */
export function mlflowEnvironment({ mlflow }: ServiceOptions): Json {
  if (mlflow === undefined) return {};
  const { uri, alias, secret } = mlflow;
  return {
    [WORKER_ENV.mlflowUri]: addressIn(uri),
    [WORKER_ENV.mlflowAlias]: alias,
    ...(secret !== undefined && { [WORKER_ENV.mlflowSecret]: secret }),
  };
}

/**
 * What the worker's role must allow. A secret's key of one's own needs more, which that key's policy can
 * give: https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
 */
export const mlflowStatements = ({ mlflow }: ServiceOptions): readonly Statement[] =>
  mlflow?.secret === undefined ? [] : [allow(['secretsmanager:GetSecretValue'], [mlflow.secret])];

/** A line a model, for people: what is written of it, or why nothing is. */
export function mlflowLine(
  { mlflow }: ServiceOptions,
  reference: string,
  origin: ArtifactOrigin | undefined,
): string | undefined {
  if (mlflow === undefined) return undefined;
  const at = addressIn(mlflow.uri);
  if (origin?.from !== 'mlflow') return `nothing is written: ${reference} is no model of MLflow`;
  if (!isAtAddress(origin, at))
    return `nothing is written: ${reference} is of MLflow at ${origin.at}, and ${at} is what is told`;
  return [
    `${mlflow.alias} of ${origin.name} follows what is live, at ${at}`,
    // A candidate that comes to nothing takes it back, and then what is packaged next is the version before.
    ...(origin.alias === mlflow.alias
      ? [
          `a release that is rolled back moves ${mlflow.alias} back, too, and then ${reference} is the version before: write another alias than the one that is packaged from`,
        ]
      : []),
  ].join('; ');
}
