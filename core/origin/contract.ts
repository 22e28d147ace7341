/**
 * What a registry of models says of a version of a model: plain data, which goes from packaging into the
 * version's record. It is that registry's word, not ours: our own digests stand beside it.
 */
export type ArtifactOrigin = {
  readonly from: 'mlflow' | 'huggingface' | 'sagemaker';
  /** Its address, without credentials; the ARN of a group of SageMaker. */
  readonly at: string;
  readonly name: string;
  /** A number, or a commit. */
  readonly version: string;
  /** By which the version was asked for; it may stand for another one since. */
  readonly alias?: string;
  /** Id of the run that made it, or the ARN of the job. */
  readonly run?: string;
  /** Who logged it, as its client wrote: MLflow checks no name. */
  readonly by?: string;
  /** Id of the commit whose code made it. */
  readonly commit?: string;
  /** Where what was measured of it is kept, where only that is known. */
  readonly measured?: string;
  readonly approval?: OriginApproval;
  readonly licence?: string;
  readonly task?: string;
  /** Models that it was made from. */
  readonly bases?: readonly string[];
  readonly datasets?: readonly OriginDataset[];
  readonly metrics?: readonly OriginMetric[];
};

/** That registry's approval, as its own people gave it: it is none of ours. */
export type OriginApproval = {
  /** Approved, or PendingManualApproval. */
  readonly status: string;
  /** Who changed the version last, where that is known. */
  readonly by?: string;
  readonly reason?: string;
};

/** The same as it is told: without the registry's address where anybody may read it. */
export type ToldOrigin = Omit<ArtifactOrigin, 'at'> & { readonly at?: string };

/** MLflow's digest is eight digits over the first rows: it names a dataset, and proves nothing. */
export type OriginDataset = { readonly name: string; readonly digest?: string; readonly context?: string };

export type OriginMetric = {
  readonly name: string;
  readonly value: number;
  /** Name of the dataset that it was measured on. */
  readonly dataset?: string;
};
