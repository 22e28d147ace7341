import type { z } from 'zod';
import { artifactKey, optimizeKey } from './keys/artifact.ts';
import { auditKey } from './keys/audit.ts';
import { batchKey } from './keys/batch.ts';
import { cardKey } from './keys/card.ts';
import { concurrencyKey } from './keys/concurrency.ts';
import { driftKey } from './keys/drift.ts';
import { architectureKey, functionKey, iamKey, memoryKey, timeoutKey } from './keys/function.ts';
import { gateKey } from './keys/gate.ts';
import { httpKey } from './keys/http.ts';
import { imageKey, packageKey } from './keys/image.ts';
import { map } from './keys/kinds.ts';
import { latencyKey, trafficKey } from './keys/load.ts';
import { needsKey } from './keys/needs.ts';
import { releaseKey } from './keys/release.ts';
import { alertsKey, dashboardKey, mlflowKey, registryKey } from './keys/service.ts';
import { signedKey } from './keys/signed.ts';
import { columnsKey, finiteKey, missingKey } from './keys/values.ts';

/**
 * What a user may say, in the order of the option table: each key is told once, in `keys/`. Rules between
 * keys are in the files that end in `-rules.ts`.
 */

/** `models.<name>`. */
export const declaration = map({
  artifact: artifactKey,
  signed: signedKey,
  card: cardKey,
  package: packageKey,
  image: imageKey,
  memory: memoryKey,
  timeout: timeoutKey,
  architecture: architectureKey,
  optimize: optimizeKey,
  columns: columnsKey,
  missing: missingKey,
  finite: finiteKey,
  http: httpKey,
  function: functionKey,
  iam: iamKey,
  traffic: trafficKey,
  concurrency: concurrencyKey,
  latency: latencyKey,
  gate: gateKey,
  release: releaseKey,
  drift: driftKey,
  batch: batchKey,
  audit: auditKey,
  needs: needsKey,
});

/** `custom.models`. */
export const serviceOptions = map({
  alerts: alertsKey,
  registry: registryKey,
  dashboard: dashboardKey,
  mlflow: mlflowKey,
});

/** As written: every default filled and every unit fixed, each key by itself. */
export type Declaration = z.output<typeof declaration>;

/** Below `models:` of a serverless.ts. A number may be a variable, for example `${env:MEMORY}`. */
export type Models = { readonly [name: string]: z.input<typeof declaration> };

/** Below its `custom.models`. */
export type ModelsOptions = z.input<typeof serviceOptions>;
