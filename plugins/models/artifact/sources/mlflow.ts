import type { ArtifactSource } from '../../contracts/sources/artifact-source.ts';

/** A version of a registered model of MLflow 3, by its number or by an alias. */
export const mlflowSource: ArtifactSource = {
  scheme: 'models',
  forms: [
    { shown: '`models:/name@alias` or `models:/name/3` of MLflow', write: 'models:/name@alias of MLflow' },
  ],
  fault: (reference) => {
    if (PLACE.test(reference)) return undefined;
    const [logged] = LOGGED.exec(reference) ?? [];
    if (logged !== undefined)
      return {
        message: 'names a logged model, which is no version of a registered one.',
        fix: `Register it, in Python by \`mlflow.register_model("${logged}", name)\`, and write \`models:/name/1\` with the number that it gets, or \`models:/name@champion\` with an alias.`,
      };
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

/** What `mlflow.onnx.log_model` returns as `model_uri`. */
const LOGGED = /^models:\/m-[0-9a-f]{32}$/;

function placeOf(reference: string): {
  readonly name: string;
  readonly alias?: string;
  readonly version?: string;
} {
  const { name = '', alias, version } = PLACE.exec(reference)?.groups ?? {};
  return { name, ...(alias !== undefined && { alias }), ...(version !== undefined && { version }) };
}
