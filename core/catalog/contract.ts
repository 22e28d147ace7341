/**
 * What the plan and the catalog agree on. The catalog answers everything that needs no runtime: who is there,
 * what goes in and out, is it up, the OpenAPI description and the docs page; and it passes a request for one
 * version on to that version.
 */
import type { OpenCard } from '../card/contract.ts';
import type { Columns, Signature } from '../tensor/contract.ts';

/** Who may call a route: `models.<name>.http.auth`. */
export type Auth = 'iam' | 'none' | { readonly authorizer: string };

/** One model, as clients see it. */
export type CatalogModel = {
  readonly name: string;
  /** Lambda's function name, for example `shop-dev-churn`: versions and state are asked of it. */
  readonly function: string;
  readonly identity: string;
  readonly opset: number;
  readonly signature: Signature;
  readonly auth: Auth;
  /** Names of its only input's columns, by which rows may be written; absent where none are known. */
  readonly columns?: Columns;
  /** `nan`: null is a missing value of a float, at `/invocations`; absent: it is refused. */
  readonly missing?: 'nan';
  /** What is told of it; absent in a package of an earlier plugin. */
  readonly card?: OpenCard;
};

/** Models that share `http.path`: together they look like one inference server at that prefix. */
export type CatalogGroup = {
  /** As in `http.path`: `/`, or `/a/b` without a slash at its end. */
  readonly path: string;
  /**
   * Auth of the routes that belong to no single model: what the models have in common, `iam` where they
   * differ.
   */
  readonly auth: Auth;
  readonly models: readonly CatalogModel[];
  /** The model that answers the bare `/ping` and `/invocations`: the only one of the prefix. */
  readonly bare?: string;
};

/** Built into the catalog's `handler.mjs` when packaged. */
export type CatalogManifest = {
  readonly schema: 1;
  /** `<service>-<stage>`: the server's name. */
  readonly service: string;
  /** This package's version: the server's version. */
  readonly version: string;
  /** ONNX Runtime's version, of the layer. */
  readonly runtime: string;
  readonly groups: readonly CatalogGroup[];
};

/**
 * What the catalog's role may do, on the functions of its manifest only: pass a request to a version and read
 * its state (`<arn>:*`), and list the versions (`<arn>`). So it reaches no code that is not published.
 */
export const CATALOG_ACTIONS = {
  versions: ['lambda:InvokeFunction', 'lambda:GetFunctionConfiguration'],
  functions: ['lambda:ListVersionsByFunction'],
} as const;

/** The version name that stands for whatever the alias serves. */
export const LIVE = 'live';

/** Extensions of the protocol that the endpoints speak, as Triton names them. */
export const EXTENSIONS = ['binary_tensor_data'] as const;

/** The protocol's name for what runs the model: platform is `<project>_<format>`. */
export const PLATFORM = 'onnxruntime_onnx';
