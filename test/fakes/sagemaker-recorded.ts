/** An answer of moto's, kept by `UPDATE=1 npm run soak -- sagemaker`. */
export type RecordedPackages = {
  readonly operation: string;
  readonly asked: Readonly<Record<string, unknown>>;
  readonly status: number;
  readonly answer: unknown;
};
