/** An answer of MLflow's own server, kept by `UPDATE=1 npm run soak -- mlflow`. */
export type RecordedAnswer = {
  /** Path and query. */
  readonly ask: string;
  /** What was sent with POST. */
  readonly sent?: string;
  readonly status: number;
  readonly type: string;
  /** Base64. */
  readonly body: string;
};
