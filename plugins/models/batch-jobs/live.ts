import type { AwsConfig } from '../../../core/ports/config.ts';
import { problemError } from '../problems/errors.ts';
import { openRegistry } from '../releases/open.ts';

/**
 * Identity of the model that scores now: of the version that has all traffic by right.
 * @throws ProblemError where no version is live
 */
export async function liveIdentity(
  aws: AwsConfig,
  service: { readonly name: string; readonly stage: string; readonly region: string },
  bucket: string,
  model: string,
): Promise<string> {
  const { documents, close } = await openRegistry(aws, service, bucket);
  try {
    const stable = (await documents.release(model))?.core.stable?.version;
    const record = stable === undefined ? undefined : await documents.known(model, stable);
    if (record !== undefined) return record.identity;
    throw problemError([
      {
        code: 'MODELS_AWS',
        key: `models.${model}`,
        message: 'has no live version, so nothing could score.',
        fix: 'Run `sls deploy` first, with this --stage and --region.',
      },
    ]);
  } finally {
    close();
  }
}
