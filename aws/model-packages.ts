import {
  DescribeModelPackageCommand,
  DescribeModelPackageGroupCommand,
  type DescribeModelPackageOutput,
  type ModelPackageContainerDefinition,
  type ModelPackageSummary,
  paginateListModelPackages,
  type SageMakerClient,
  type UserContext,
} from '@aws-sdk/client-sagemaker';

/** Versions of a group of SageMaker's Model Registry, which calls them model packages. */

export type ListedPackage = {
  readonly arn: string;
  readonly version: number;
  /** Approved, Rejected or PendingManualApproval. */
  readonly approval: string;
};

export type ModelPackage = ListedPackage & {
  readonly group: string;
  /** Completed, where it may be used. */
  readonly status: string;
  readonly reason?: string;
  /** Profile of SageMaker Studio, else the ARN of a role or user. */
  readonly by?: string;
  readonly changedBy?: string;
  /** ARN of the job that made it. */
  readonly generatedBy?: string;
  readonly commit?: string;
  /** Where what was measured of it is kept. */
  readonly metrics?: string;
  readonly containers: readonly PackageContainer[];
};

export type PackageContainer = {
  readonly name?: string;
  /** `s3://…` as it is declared; absent where the container has no data of its own. */
  readonly data?: string;
  readonly kind: 'archive' | 'object' | 'prefix';
  /** What the object had when it was registered. */
  readonly etag?: string;
};

/**
 * The newest version of a group, by the time at which it was made.
 *
 * @param approval only those of this status
 * @param group its name, or its ARN
 * @throws what SageMaker says
 */
export async function newestPackage(
  client: SageMakerClient,
  group: string,
  approval?: 'Approved',
): Promise<ListedPackage | undefined> {
  const pages = paginateListModelPackages(
    { client },
    {
      ModelPackageGroupName: group,
      SortBy: 'CreationTime',
      SortOrder: 'Descending',
      MaxResults: 10,
      ...(approval !== undefined && { ModelApprovalStatus: approval }),
    },
  );
  // A page may be empty, and another one follow.
  for await (const { ModelPackageSummaryList: [newest] = [] } of pages)
    if (newest !== undefined) return listed(newest);
  return undefined;
}

const listed = (one: ModelPackageSummary | DescribeModelPackageOutput): ListedPackage => ({
  arn: one.ModelPackageArn ?? '',
  version: one.ModelPackageVersion ?? 0,
  approval: one.ModelApprovalStatus ?? 'PendingManualApproval',
});

/** @throws what SageMaker says, for example where there is no such group */
export async function packageGroupArn(client: SageMakerClient, group: string): Promise<string> {
  const { ModelPackageGroupArn = '' } = await client.send(
    new DescribeModelPackageGroupCommand({ ModelPackageGroupName: group }),
  );
  return ModelPackageGroupArn;
}

/** @throws what SageMaker says */
export async function describePackage(client: SageMakerClient, arn: string): Promise<ModelPackage> {
  const found = await client.send(new DescribeModelPackageCommand({ ModelPackageName: arn }));
  const { ModelMetrics: metrics, MetadataProperties: made } = found;
  const measured = metrics?.ModelQuality?.Statistics?.S3Uri;
  const [by, changedBy] = [userOf(found.CreatedBy), userOf(found.LastModifiedBy)];
  return {
    ...listed(found),
    group: found.ModelPackageGroupName ?? '',
    status: found.ModelPackageStatus ?? 'Completed',
    ...(found.ApprovalDescription && { reason: found.ApprovalDescription }),
    ...(by !== undefined && { by }),
    ...(changedBy !== undefined && { changedBy }),
    ...(made?.GeneratedBy && { generatedBy: made.GeneratedBy }),
    ...(made?.CommitId && { commit: made.CommitId }),
    ...(measured && { metrics: measured }),
    containers: (found.InferenceSpecification?.Containers ?? []).map(containerOf),
  };
}

const userOf = (user: UserContext | undefined): string | undefined =>
  user?.UserProfileName || user?.IamIdentity?.Arn || undefined;

/** https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ModelPackageContainerDefinition.html */
function containerOf({
  ContainerHostname: name,
  ModelDataUrl: url,
  ModelDataETag: tag,
  ModelDataSource: source,
}: ModelPackageContainerDefinition): PackageContainer {
  const s3 = source?.S3DataSource;
  const data = url || s3?.S3Uri;
  const isPrefix = !url && s3?.S3DataType === 'S3Prefix';
  const isArchive = url ? !url.endsWith('.onnx') : s3?.CompressionType === 'Gzip';
  const etag = url ? tag : s3?.ETag;
  return {
    ...(name && { name }),
    ...(data && { data }),
    kind: isPrefix ? 'prefix' : isArchive ? 'archive' : 'object',
    ...(etag && { etag }),
  };
}
