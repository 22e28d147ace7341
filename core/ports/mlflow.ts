/** What MLflow is told, in the words of its REST API. */
export type MlflowWrite =
  | { readonly set: 'alias'; readonly name: string; readonly version: string; readonly alias: string }
  | {
      readonly set: 'tag';
      readonly name: string;
      readonly version: string;
      readonly key: string;
      readonly value: string;
      /** Somebody may have deleted the version: then there is nothing to be written. */
      readonly mayBeGone?: true;
    };

/** `refuses`: it says no, or is not what it should be; else it may take it in a while. */
export type MlflowFailure = { readonly failed: string; readonly refuses: boolean };

/** A tracking server that is told what is live. */
export type MlflowPort = {
  /** Its address, as the origin of an artifact has it. */
  readonly at: string;
  /** The alias that is moved. */
  readonly alias: string;
  /**
   * Writes all of these, in their order, or up to the first that fails; repeated, it changes nothing more.
   * Takes some seconds at most, and never throws.
   */
  readonly write: (writes: readonly MlflowWrite[]) => Promise<'ok' | MlflowFailure>;
};
