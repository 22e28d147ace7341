import { type ExportGiven, exportedName } from '../shared/given.ts';

/** The only production variant: SageMaker’s own canary goes by fleets, not by variants. */
export const VARIANT = 'live';

/** Where SageMaker writes what an endpoint’s containers say. */
export const endpointLogGroup = (given: ExportGiven): string =>
  `/aws/sagemaker/Endpoints/${exportedName(given)}`;

export const variantDimensions = (given: ExportGiven) => [
  { Name: 'EndpointName', Value: exportedName(given) },
  { Name: 'VariantName', Value: VARIANT },
];

/**
 * What the names of the endpoint’s alarms begin with: others than those on Lambda, beside which they stand.
 */
export const alarmPrefix = (given: ExportGiven): string => `${exportedName(given)}-sagemaker-`;
