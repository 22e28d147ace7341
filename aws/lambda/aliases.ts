import {
  CreateAliasCommand,
  DeleteAliasCommand,
  GetAliasCommand,
  type LambdaClient,
  UpdateAliasCommand,
} from '@aws-sdk/client-lambda';
import { errorName, messageOf } from '../../core/errors/aws-errors.ts';
import type { AliasPort, AliasState, AliasWrite } from '../../core/ports/aws.ts';

/** Lambda's aliases. */
export function lambdaAliases(lambda: LambdaClient): AliasPort {
  return {
    get: async (functionName, alias) => {
      try {
        const found = await lambda.send(new GetAliasCommand({ FunctionName: functionName, Name: alias }));
        const weights = Object.entries(found.RoutingConfig?.AdditionalVersionWeights ?? {}).filter(
          ([, weight]) => weight > 0,
        );
        return {
          version: found.FunctionVersion ?? '',
          weights: Object.fromEntries(weights),
          description: found.Description ?? '',
          revision: found.RevisionId ?? '',
        };
      } catch (error) {
        if (errorName(error) === 'ResourceNotFoundException') return undefined;
        throw error;
      }
    },
    create: (functionName, alias, to) =>
      written(() =>
        lambda.send(new CreateAliasCommand({ FunctionName: functionName, Name: alias, ...shape(to) })),
      ),
    update: (functionName, alias, to, revision) =>
      written(() =>
        lambda.send(
          new UpdateAliasCommand({
            FunctionName: functionName,
            Name: alias,
            RevisionId: revision,
            ...shape(to),
          }),
        ),
      ),
    remove: async (functionName, alias) => {
      try {
        await lambda.send(new DeleteAliasCommand({ FunctionName: functionName, Name: alias }));
      } catch (error) {
        if (errorName(error) !== 'ResourceNotFoundException') throw error;
      }
    },
  };
}

/**
 * Version and weights always go together: with one alone Lambda keeps the other, and refuses a version that
 * is in both.
 */
const shape = (to: Omit<AliasState, 'revision'>) => ({
  FunctionVersion: to.version,
  Description: to.description,
  RoutingConfig: { AdditionalVersionWeights: { ...to.weights } },
});

async function written(send: () => Promise<unknown>): Promise<AliasWrite> {
  try {
    await send();
    return 'ok';
  } catch (error) {
    switch (errorName(error)) {
      case 'PreconditionFailedException':
      case 'ResourceConflictException':
        return 'changed';
      case 'ResourceNotFoundException':
        // The alias may have gone since it was read; a missing version or function will not come back.
        return ALIAS_GONE.test(messageOf(error)) ? 'changed' : { refused: messageOf(error) };
      case 'InvalidParameterValueException':
      case 'ValidationException':
        return { refused: messageOf(error) };
      default:
        throw error;
    }
  }
}

const ALIAS_GONE = /alias not found|cannot find alias/i;
