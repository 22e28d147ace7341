import { addressFault } from '../../../core/origin/address.ts';
import type { Problem } from '../problems/errors.ts';
import type { ServiceOptions } from './model.ts';

const SECRET = /^arn:aws[\w-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+-[A-Za-z0-9]{6}$/;

/**
 * What is wrong with `custom.models.mlflow`. Neither address nor secret is repeated: what nobody should see
 * may stand there.
 */
export function mlflowProblems({ mlflow }: ServiceOptions): readonly Problem[] {
  if (mlflow === undefined) return [];
  const { uri, secret } = mlflow;
  const fault = addressFault(uri);
  const problems: Problem[] = [];
  if (fault !== undefined)
    problems.push({
      code: 'MODELS_INVALID_VALUE',
      key: 'custom.models.mlflow.uri',
      message: `${fault}.`,
      fix: 'Write the address alone, https://<host>[/<path>], and who asks into a secret; http is for 127.0.0.1 only.',
    });
  if (typeof secret === 'string' && !SECRET.test(secret))
    problems.push({
      code: 'MODELS_INVALID_VALUE',
      key: 'custom.models.mlflow.secret',
      message: 'is not the whole ARN of a secret of Secrets Manager.',
      fix: 'Keep name and password, or the token, in such a secret, and write arn:aws:secretsmanager:<region>:<account>:secret:<name>-<six characters>.',
    });
  return problems;
}
