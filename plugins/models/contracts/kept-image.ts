import type { Architecture, Facts, Model } from '../declaration/model.ts';
import type { ArtifactRuntime } from './artifact-format.ts';
import type { Json } from './cloudformation.ts';

/** A model's image as a package keeps it: all but the base, which is fetched when it is deployed. */
export type KeptImage = {
  readonly model: string;
  readonly architecture: Architecture;
  /** `host/repository@sha256:<hex>`, as declared or ours. */
  readonly base: string;
  /** The lowest first. */
  readonly layers: readonly {
    readonly name: string;
    /**
     * sha256 of the tar, and of the tar packed; bytes of that, and its path, relative where it lies in a
     * package.
     */
    readonly diffId: string;
    readonly digest: string;
    readonly size: number;
    readonly file: string;
  }[];
  /** What starts it: plain data, which who lays it over a base reads. */
  readonly config: Json;
};

/** A model as shipped, and where it runs from an image, with that. */
export type Imaged = (
  model: Model,
  shipped: {
    readonly facts: Facts;
    readonly runtime: ArtifactRuntime;
    readonly content: readonly { readonly path: string; readonly from: string; readonly bytes: number }[];
  },
) => Promise<{ readonly facts: Facts; readonly image?: KeptImage }>;
