import type { AwsConfig } from '../../../core/ports/config.ts';
import type { Registry } from '../../../core/registry/port.ts';
import { scorer } from '../../../core/release/follow-batch.ts';
import { problemError } from '../problems/errors.ts';
import { openRegistry } from '../releases/open.ts';

/**
 * Identity of the model that scores jobs now.
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
    return await identityIn(documents, model);
  } finally {
    close();
  }
}

/** @throws ProblemError where no version is live */
export async function identityIn(
  documents: Pick<Registry, 'release' | 'known'>,
  model: string,
): Promise<string> {
  const found = await documents.release(model);
  const version = found?.core.stable && scorer({ ...found.release, ...found.core })?.version;
  const record = version === undefined ? undefined : await documents.known(model, version);
  if (record !== undefined) return record.identity;
  throw problemError([
    {
      code: 'MODELS_AWS',
      key: `models.${model}`,
      message: 'has no live version, so nothing could score.',
      fix: 'Run `sls deploy` first, with this --stage and --region.',
    },
  ]);
}
