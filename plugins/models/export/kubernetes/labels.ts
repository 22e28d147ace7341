import { type ExportGiven, exportedName } from '../shared/given.ts';

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/ */
export function labelsOf(given: ExportGiven) {
  return {
    ...selectorOf(given),
    'app.kubernetes.io/part-of': given.host.service.toLowerCase(),
    'app.kubernetes.io/managed-by': 'serverless-models',
  };
}

/** What a Deployment selects by cannot be changed later: only what never changes. */
export function selectorOf({ model, host }: ExportGiven) {
  return {
    'app.kubernetes.io/name': model.name.toLowerCase(),
    'app.kubernetes.io/instance': exportedName({ model, host }),
  };
}

/** `metadata` of an object. */
export const metadataOf = (given: ExportGiven) => ({ name: exportedName(given), labels: labelsOf(given) });

/** Pods of the same namespace that have it may call: the network policy’s label. */
export const callerLabel = (given: ExportGiven): string => `may-call/${exportedName(given)}`;
