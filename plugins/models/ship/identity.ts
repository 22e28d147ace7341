import type { Architecture, Model } from '../declaration/model.ts';
import { keyOf } from '../disk/cache.ts';

export type IdentityParts = {
  /** `Source.digest`. */
  readonly source: string;
  /** Digest of the bundled transform.ts, if there is one. */
  readonly transform: string | undefined;
  readonly runtime: string;
  readonly architecture: Architecture;
  readonly optimize: boolean;
  /**
   * The keys about inputs, as written. A model that writes none of them keeps the identity that it had before
   * these keys existed.
   */
  readonly inputs: Pick<Model, 'columns' | 'missing' | 'finite'>;
};

/**
 * What a version of a model is known by: where it comes from and how it is treated, not the optimised bytes,
 * which may differ between two machines without being another model.
 *
 * @returns sha256 in hex
 */
export function identityOf(parts: IdentityParts): string {
  const { source, transform, runtime, architecture, optimize, inputs } = parts;
  const { columns, missing, finite } = inputs;
  const declared = { ...(columns && { columns }), ...(missing && { missing }), ...(finite && { finite }) };
  return keyOf(
    'identity/1',
    source,
    transform ?? null,
    runtime,
    architecture,
    optimize,
    ...(Object.keys(declared).length === 0 ? [] : [declared]),
  );
}

/** Options that two models of one source may differ in, each with what it may be there. */
const OTHERWISE: readonly ((parts: IdentityParts) => readonly (readonly [string, IdentityParts])[])[] = [
  (parts) =>
    (['x86_64', 'arm64'] as const)
      .filter((architecture) => architecture !== parts.architecture)
      .map((architecture) => [
        `architecture is ${architecture} there and ${parts.architecture} here`,
        { ...parts, architecture },
      ]),
  (parts) => [
    [
      `optimize is ${!parts.optimize} there and ${parts.optimize} here`,
      { ...parts, optimize: !parts.optimize },
    ],
  ],
  ({ inputs, ...parts }) => {
    const { missing, ...rest } = inputs;
    return [
      missing === 'nan'
        ? ['missing is refuse there and nan here', { ...parts, inputs: rest }]
        : ['missing is nan there and refuse here', { ...parts, inputs: { ...rest, missing: 'nan' } }],
    ];
  },
  ({ inputs, ...parts }) => {
    const { finite, ...rest } = inputs;
    return [
      finite
        ? ['finite is false there and true here', { ...parts, inputs: rest }]
        : ['finite is true there and false here', { ...parts, inputs: { ...rest, finite: true } }],
    ];
  },
  ({ inputs: { columns, ...inputs }, ...parts }) =>
    columns === undefined ? [] : [['columns are declared here only', { ...parts, inputs }]],
  ({ transform, ...parts }) =>
    transform === undefined ? [] : [['transform.ts is here only', { ...parts, transform: undefined }]],
];

/**
 * Which options make the difference to another identity of the same source. An identity is a digest, so they
 * are found by trying.
 *
 * @returns undefined where it is none of those that can be tried: the runtime's version, a transform or
 * columns
 */
export function identityDifference(parts: IdentityParts, theirs: string): readonly string[] | undefined {
  let tried: readonly { readonly told: readonly string[]; readonly parts: IdentityParts }[] = [
    { told: [], parts },
  ];
  for (const otherwise of OTHERWISE)
    tried = tried.flatMap((one) => [
      one,
      ...otherwise(one.parts).map(([told, other]) => ({ told: [...one.told, told], parts: other })),
    ]);
  return tried
    .filter((one) => identityOf(one.parts) === theirs)
    .map(({ told }) => told)
    .toSorted((one, other) => one.length - other.length)[0];
}
