import type { Feature } from '../contracts/feature.ts';
import { auditFeature } from './audit/audit.ts';
import { batchFeature } from './batch/feature.ts';
import { catalogFeature } from './catalog/catalog.ts';
import { dashboardFeature } from './dashboard/dashboard.ts';
import { driftFeature } from './drift/feature.ts';
import { endpointFeature } from './endpoint/feature.ts';
import { releaseFeature } from './release/feature.ts';
import { alertsFeature } from './watch/alerts.ts';

/** All that models add to a service. To add something: a folder beside these, and its feature here. */
export const FEATURES: readonly Feature[] = [
  endpointFeature,
  batchFeature,
  catalogFeature,
  releaseFeature,
  driftFeature,
  alertsFeature,
  auditFeature,
  dashboardFeature,
];
