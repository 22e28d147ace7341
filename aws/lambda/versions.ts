import {
  DeleteFunctionCommand,
  type LambdaClient,
  ListVersionsByFunctionCommand,
} from '@aws-sdk/client-lambda';
import { errorName } from '../../core/errors/aws-errors.ts';
import type { VersionPort } from '../../core/ports/aws.ts';

/** Published versions of Lambda functions. */
export function lambdaVersions(lambda: LambdaClient): VersionPort {
  return {
    list: async (functionName) => {
      const found: string[] = [];
      let marker: string | undefined;
      try {
        do {
          const page = await lambda.send(
            new ListVersionsByFunctionCommand({ FunctionName: functionName, Marker: marker }),
          );
          // `$LATEST` is among them.
          for (const { Version } of page.Versions ?? [])
            if (/^\d+$/.test(Version ?? '')) found.push(Version ?? '');
          marker = page.NextMarker;
        } while (marker);
      } catch (error) {
        if (errorName(error) !== 'ResourceNotFoundException') throw error;
      }
      return found;
    },
    remove: async (functionName, version) => {
      // Without a qualifier the whole function would go.
      if (!/^[1-9]\d*$/.test(version)) throw new Error(`${version} is no published version`);
      try {
        await lambda.send(new DeleteFunctionCommand({ FunctionName: functionName, Qualifier: version }));
      } catch (error) {
        if (errorName(error) !== 'ResourceNotFoundException') throw error;
      }
    },
  };
}
