import { sageMakerClient } from '../../../../aws/clients/sagemaker.ts';
import {
  describePackage,
  type ListedPackage,
  type ModelPackage,
  newestPackage,
  packageGroupArn,
} from '../../../../aws/model-packages.ts';
import type { ArtifactOrigin } from '../../../../core/origin/contract.ts';
import type {
  FetchedArtifact,
  ResolvedArtifact,
  SourceContext,
} from '../../contracts/sources/artifact-source.ts';
import { type Asked, lacking, rememberedResolve } from './remembered.ts';
import { asSageMakerFault } from './sagemaker-faults.ts';
import { dataOf, fetchData } from './sagemaker-files.ts';

/** A version as it is asked for: by its number, or the newest that is approved. */
type Place = { readonly group: string; readonly region?: string; readonly version?: string };

type Client = ReturnType<typeof sageMakerClient>;

/** Milliseconds: without them the SDK waits for ever. */
const BOUNDS = { connectionTimeout: 5000, socketTimeout: 30_000 };

/**
 * The version that a reference stands for now, its graph, and what the registry knows of it.
 *
 * @throws ProblemError `MODELS_ARTIFACT_MISSING` with SageMaker's answer, or S3's
 */
export function resolvePackage(
  reference: string,
  place: Place,
  context: SourceContext,
): Promise<ResolvedArtifact> {
  const { aws } = context;
  const region = place.region ?? aws?.region ?? '';
  const asked: Asked = {
    reference,
    at: `sagemaker:${region}`,
    who: `SageMaker in ${region}`,
    access:
      'Allow sagemaker:ListModelPackages, sagemaker:DescribeModelPackage and sagemaker:DescribeModelPackageGroup on it, or use other credentials.',
  };
  const refuse = (message: string, fix: string): Error => lacking(asked, context.key, message, fix);
  if (aws === undefined)
    throw refuse('is not asked here', 'Run it where AWS may be asked, or name a file on this disk.');
  return rememberedResolve(asked, context, async () => {
    const client = sageMakerClient({
      ...aws,
      region,
      requestHandler: { ...BOUNDS, ...aws.requestHandler },
    });
    try {
      const found = await packageOf(client, place, refuse).catch(asSageMakerFault);
      const data = await dataOf(found, inRegion(context, place), refuse);
      const notices =
        found.approval === 'Approved'
          ? []
          : [`${reference} is ${found.approval} in SageMaker’s registry, and not approved.`];
      return {
        reference,
        isFolder: false,
        ...data,
        origin: originOf(found, place),
        ...(notices.length > 0 && { notices }),
      };
    } finally {
      client.destroy();
    }
  });
}

/** Brings the graph, and the weights that it names from beside it. */
export const fetchPackage = (
  resolved: ResolvedArtifact,
  place: Place,
  beside: (file: string) => readonly string[],
  context: SourceContext,
): Promise<FetchedArtifact> => fetchData(resolved, beside, inRegion(context, place));

/** The model data of a group of another region lie there, too. */
const inRegion = (context: SourceContext, { region }: Place): SourceContext =>
  context.aws === undefined || region === undefined
    ? context
    : { ...context, aws: { ...context.aws, region } };

async function packageOf(
  client: Client,
  { group, version }: Place,
  refuse: (message: string, fix: string) => Error,
): Promise<ModelPackage> {
  const arn =
    version === undefined
      ? await approvedArn(client, group, refuse)
      : `${(await arnOf(client, group)).replace(':model-package-group/', ':model-package/')}/${version}`;
  const found = await describePackage(client, arn);
  if (found.approval === 'Rejected' || (version === undefined && found.approval !== 'Approved'))
    throw refuse(
      `has version ${found.version} as ${found.approval}`,
      'Let it be approved, or name another version.',
    );
  if (found.status !== 'Completed')
    throw refuse(
      `has version ${found.version} as ${found.status}, which is not ready`,
      'Look at its status in SageMaker’s console, and register it again.',
    );
  return found;
}

async function approvedArn(
  client: Client,
  group: string,
  refuse: (message: string, fix: string) => Error,
): Promise<string> {
  const approved = await newestPackage(client, group, 'Approved');
  if (approved !== undefined) return approved.arn;
  // SageMaker may answer with an empty list where there is no such group.
  const newest = await newestPackage(client, group);
  if (newest === undefined) await arnOf(client, group);
  throw refuse(
    `has no version of ${group} that is approved; ${newestLine(newest)}`,
    'Let a version be approved, or name one by its number.',
  );
}

const newestLine = (newest: ListedPackage | undefined): string =>
  newest === undefined ? 'it has none at all' : `the newest, ${newest.version}, is ${newest.approval}`;

const arnOf = async (client: Client, group: string): Promise<string> =>
  group.startsWith('arn:') ? group : packageGroupArn(client, group);

function originOf(found: ModelPackage, { version }: Place): ArtifactOrigin {
  const { arn, group, approval, reason, by, changedBy, generatedBy, commit, metrics } = found;
  return {
    from: 'sagemaker',
    // The group's; the version's is this one with its number.
    at: arn.replace(':model-package/', ':model-package-group/').replace(/\/\d+$/, ''),
    name: group || (/\/([^/]+)\/\d+$/.exec(arn)?.[1] ?? ''),
    version: String(found.version),
    ...(version === undefined && { alias: 'approved' }),
    ...(generatedBy !== undefined && { run: generatedBy }),
    ...(by !== undefined && { by }),
    ...(commit !== undefined && { commit }),
    ...(metrics !== undefined && { measured: metrics }),
    approval: {
      status: approval,
      ...(changedBy !== undefined && { by: changedBy }),
      ...(reason !== undefined && { reason }),
    },
  };
}
