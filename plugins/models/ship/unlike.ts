import type { ArtifactOrigin } from '../../../core/origin/contract.ts';
import type { Validated } from '../contracts/ship-context.ts';
import type { Problem } from '../problems/errors.ts';
import { type IdentityParts, identityDifference, identityOf } from './identity.ts';

/**
 * What is to be packaged against what another stage validated: source and identity must be the same. Memory,
 * gate and the like may differ between stages. Pure.
 *
 * @param key `models.<name>`
 */
export function unlikeProblems(
  key: string,
  { source, identity, origin: theirs, evidence: { stage, version } }: Validated,
  here: IdentityParts,
  origin: ArtifactOrigin | undefined,
): readonly Problem[] {
  if (here.source === source && identityOf(here) === identity) return [];
  const isSource = here.source !== source;
  const differs = isSource
    ? [
        `its source is sha256 ${here.source.slice(0, 12)} here, and ${source.slice(0, 12)} there`,
        placeLine(origin, theirs),
      ]
        .filter((line) => line !== undefined)
        .join('; ')
    : `its source is the same, and its identity is ${identityOf(here).slice(0, 12)} here, and ${identity.slice(0, 12)} there: ${(
        identityDifference(here, identity) ?? [
          'transform.ts, columns, or the version of ONNX Runtime that the plugin brings differ',
        ]
      ).join(', ')}`;
  return [
    {
      code: 'MODELS_PROMOTION',
      key,
      message: `is not what ${stage} validated as version ${version}: ${differs}.`,
      fix: isSource
        ? `Deploy this one to ${stage} first, or take what ${stage} has.`
        : `Write the same as ${stage} has, or deploy this to ${stage} first, with the same version of the plugin.`,
    },
  ];
}

/** Which versions of registries the two are. */
function placeLine(here: ArtifactOrigin | undefined, there: ArtifactOrigin | undefined): string | undefined {
  if (here === undefined && there === undefined) return undefined;
  const words = (origin: ArtifactOrigin | undefined): string =>
    origin === undefined ? 'of no registry' : `version ${origin.version} of ${origin.name} at ${origin.at}`;
  return `it is ${words(here)} here, and ${words(there)} there`;
}
