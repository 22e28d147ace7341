import type { Check } from './check.ts';
import { alarmWay } from './checks/alarm-way.ts';
import { audit } from './checks/audit.ts';
import { batch } from './checks/batch.ts';
import { coldStarts } from './checks/cold-starts.ts';
import { counts } from './checks/counts.ts';
import { deletedAlias } from './checks/deleted-alias.ts';
import { gateway } from './checks/gateway.ts';
import { layer } from './checks/layer.ts';
import { OPEN } from './checks/open.ts';
import { permissions } from './checks/permissions.ts';
import { provisioned } from './checks/provisioned.ts';
import { releaseAlarm } from './checks/release-alarm.ts';
import { removedModel } from './checks/removed-model.ts';
import { rollback } from './checks/rollback.ts';
import { skippedDeploy } from './checks/skipped-deploy.ts';
import { sweep } from './checks/sweep.ts';
import { triggers } from './checks/triggers.ts';
import { weights } from './checks/weights.ts';

/**
 * One a bullet of docs/not-yet-on-aws.md, in the order in which they are run: what looks at the first deploy,
 * then what changes it, then what looks back at all of it.
 */
export const CHECKS: readonly Check[] = [
  layer,
  skippedDeploy,
  coldStarts,
  gateway,
  audit,
  counts,
  triggers,
  batch,
  sweep,
  releaseAlarm,
  rollback,
  removedModel,
  weights,
  provisioned,
  deletedAlias,
  alarmWay,
  permissions,
  ...OPEN,
];
