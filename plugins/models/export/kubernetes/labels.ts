import { type ExportGiven, exportedName } from '../shared/given.ts';

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/ */
export function labelsOf(given: ExportGiven) {
  return {
    ...selectorOf(given),
    'app.kubernetes.io/part-of': labelValue(given.host.service),
    'app.kubernetes.io/managed-by': 'serverless-models',
  };
}

/** A service may be called `shop-`, and the value of a label may not end so. */
const labelValue = (name: string): string => name.toLowerCase().replace(/-+$/, '');

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
