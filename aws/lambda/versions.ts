import {
  DeleteFunctionCommand,
  type FunctionConfiguration,
  type LambdaClient,
  ListVersionsByFunctionCommand,
} from '@aws-sdk/client-lambda';
import { errorName } from '../../core/errors/aws-errors.ts';
import type { VersionPort } from '../../core/ports/aws.ts';

/** Published versions of Lambda functions. */
export function lambdaVersions(lambda: LambdaClient): VersionPort {
  const published = async (functionName: string): Promise<readonly FunctionConfiguration[]> => {
    const found: FunctionConfiguration[] = [];
    let marker: string | undefined;
    try {
      do {
        const page = await lambda.send(
          new ListVersionsByFunctionCommand({ FunctionName: functionName, Marker: marker }),
        );
        // `$LATEST` is among them.
        for (const one of page.Versions ?? []) if (/^\d+$/.test(one.Version ?? '')) found.push(one);
        marker = page.NextMarker;
      } while (marker);
    } catch (error) {
      if (errorName(error) !== 'ResourceNotFoundException') throw error;
    }
    return found;
  };
  return {
    list: async (functionName) => (await published(functionName)).map(({ Version = '' }) => Version),
    // What may be listed tells it: the digest of an image is in a function’s configuration.
    // https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
    digests: async (functionName) =>
      new Map(
        (await published(functionName)).flatMap(({ Version = '', CodeSha256: code, PackageType: kind }) =>
          code === undefined
            ? []
            : [[Version, `sha256:${kind === 'Image' ? code : Buffer.from(code, 'base64').toString('hex')}`]],
        ),
      ),
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
