import type { ArtifactSource } from '../../contracts/sources/artifact-source.ts';

/** A version of a group of SageMaker's Model Registry: the newest that is approved, or one by its number. */
export const sageMakerSource: ArtifactSource = {
  scheme: 'sagemaker',
  forms: [
    {
      shown: '`sagemaker:group@approved` or `sagemaker:group/7` of SageMaker’s Model Registry',
      write: 'sagemaker:group@approved of SageMaker’s Model Registry',
    },
  ],
  fault: (reference) => {
    if (PLACE.test(reference)) return undefined;
    const [, group = 'group'] = /^sagemaker:\/*([a-zA-Z0-9][a-zA-Z0-9-]*)(?!:)\b/.exec(reference) ?? [];
    const [, alias] = /^sagemaker:[a-zA-Z0-9-]+@(.*)$/.exec(reference) ?? [];
    return {
      message:
        alias === undefined
          ? 'names no version of a group of models.'
          : `names ${alias || 'nothing'} after the @, where only approved may stand: SageMaker has no other aliases.`,
      fix: `Write \`sagemaker:${group}@approved\`, or \`sagemaker:${group}/7\` with a number; the group may be an ARN.`,
    };
  },
  path: () => undefined,
  pinned: (reference, { from, at, name, version }) => {
    const { group, version: number } = placeOf(reference);
    const isTheirs = from === 'sagemaker' && number === undefined && (group === name || group === at);
    return isTheirs ? `sagemaker:${group}/${version}` : undefined;
  },
  resolve: async (reference, context) =>
    (await import('../fetch/sagemaker.ts')).resolvePackage(reference, placeOf(reference), context),
  fetch: async (resolved, beside, context) =>
    (await import('../fetch/sagemaker.ts')).fetchPackage(
      resolved,
      placeOf(resolved.reference),
      beside,
      context,
    ),
};

/** Names as of https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackageGroup.html */
const PLACE =
  /^sagemaker:(?<group>(?:arn:aws[a-z-]*:sagemaker:(?<region>[a-z0-9-]+):\d{12}:model-package-group\/)?[a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,62})(?:@approved|\/(?<version>[1-9]\d{0,8}))$/;

function placeOf(reference: string): {
  readonly group: string;
  readonly region?: string;
  readonly version?: string;
} {
  const { group = '', region, version } = PLACE.exec(reference)?.groups ?? {};
  return {
    group,
    ...(region !== undefined && { region }),
    ...(version !== undefined && { version }),
  };
}
