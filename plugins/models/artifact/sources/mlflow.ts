import type { ArtifactSource } from '../../contracts/sources/artifact-source.ts';

/** A version of a registered model of MLflow 3, by its number or by an alias. */
export const mlflowSource: ArtifactSource = {
  scheme: 'models',
  forms: [
    { shown: '`models:/name@alias` or `models:/name/3` of MLflow', write: 'models:/name@alias of MLflow' },
  ],
  fault: (reference) => {
    if (PLACE.test(reference)) return undefined;
    const [, name = 'name'] = /^models:\/*([^/@]+)/.exec(reference) ?? [];
    const [, stage] = /^models:\/[^/@]+\/([^/@]*)$/.exec(reference) ?? [];
    return {
      message:
        stage === undefined
          ? 'names no version of a registered model.'
          : `names no version: ${stage || 'nothing'} is no number, and MLflow 3 has no stages.`,
      fix: `Write \`models:/${name}@champion\` with an alias, or \`models:/${name}/3\` with a number.`,
    };
  },
  path: () => undefined,
  pinned: (reference, { from, name, version }) => {
    const place = placeOf(reference);
    const isTheirs = from === 'mlflow' && place.alias !== undefined && place.name === name;
    return isTheirs ? `models:/${name}/${version}` : undefined;
  },
  resolve: async (reference, context) =>
    (await import('../fetch/mlflow.ts')).resolveVersion(reference, placeOf(reference), context),
  fetch: async (resolved, beside, context) =>
    (await import('../fetch/mlflow.ts')).fetchVersion(resolved, beside, context),
};

/** What MLflow itself allows of names and aliases is more and less; this is what a URL and a text take. */
const PLACE = /^models:\/(?<name>[^/@\p{Cc}]+)(?:@(?<alias>[\p{L}\p{N}_-]+)|\/(?<version>[1-9]\d{0,9}))$/u;

function placeOf(reference: string): {
  readonly name: string;
  readonly alias?: string;
  readonly version?: string;
} {
  const { name = '', alias, version } = PLACE.exec(reference)?.groups ?? {};
  return { name, ...(alias !== undefined && { alias }), ...(version !== undefined && { version }) };
}
