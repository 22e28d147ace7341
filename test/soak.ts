/**
 * `npm run soak [-- name…] [--short]`: what is too long or needs too much for every test run. Each part
 * prints one line, `soak <name> <figures> ok|failed`. With `--short`, the parts that have one run at a
 * hundredth of their size.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { faultsOf, recordCalls, summaryOf } from '../local-aws/calls.ts';
import { exitBySignals } from './exit-by-signals.ts';
import { accountKills } from './soak/account.ts';
import { arm64Inference } from './soak/arm64.ts';
import { BATCH, batchSoak, HUNDREDTH_OF_BATCH } from './soak/batch.ts';
import { everyDeath } from './soak/batch-deaths.ts';
import { cardsAsBoms } from './soak/card.ts';
import { everyCrash } from './soak/crash.ts';
import { gzipSoak, UNPACKED } from './soak/gzip.ts';
import { IMAGE_REQUESTS, imageSoak } from './soak/image.ts';
import { kubernetesObjects } from './soak/kubernetes.ts';
import { HUNDREDTH_OF_LARGE, LARGE, largeArtifact } from './soak/large.ts';
import { HUNDREDTH_OF_LOADGEN, LOADGEN, loadgenAsClient } from './soak/loadgen.ts';
import { localStackJourney } from './soak/localstack.ts';
import { mlflowModels } from './soak/mlflow.ts';
import { onnxThroughHosts } from './soak/onnx-hosts.ts';
import { ROUNDS, randomProperties } from './soak/properties.ts';
import { qualityIntervals, SAMPLES } from './soak/quality.ts';
import { ROWS, referenceData } from './soak/reference.ts';
import { sageMakerPackages } from './soak/sagemaker.ts';
import { sageMakerEndpoints } from './soak/sagemaker-endpoint.ts';
import { everySequence, HUNDREDTH_OF_SEQUENCES, SEQUENCES } from './soak/sequences.ts';
import { signedModels } from './soak/signed.ts';
import { BUSY, busyWindow, HUNDREDTH_OF_BUSY } from './soak/traffic.ts';

const KILLS = 10;

type Part = {
  full(): Promise<string>;
  /** The same at a hundredth of the size, which `npm test` runs; absent where less would be nothing. */
  short?(): Promise<string>;
};
const parts: Readonly<Record<string, Part>> = {
  account: { full: () => accountKills(KILLS) },
  arm64: { full: arm64Inference },
  batch: { full: () => batchSoak(BATCH), short: () => batchSoak(HUNDREDTH_OF_BATCH) },
  'batch-deaths': { full: everyDeath },
  card: { full: cardsAsBoms },
  crash: { full: everyCrash },
  gzip: { full: () => gzipSoak(UNPACKED) },
  kubernetes: { full: kubernetesObjects },
  image: { full: () => imageSoak(IMAGE_REQUESTS), short: () => imageSoak(IMAGE_REQUESTS / 100) },
  large: { full: () => largeArtifact(LARGE), short: () => largeArtifact(HUNDREDTH_OF_LARGE) },
  loadgen: {
    full: () => loadgenAsClient(LOADGEN),
    short: () => loadgenAsClient(HUNDREDTH_OF_LOADGEN),
  },
  localstack: { full: localStackJourney },
  mlflow: { full: mlflowModels },
  'onnx-hosts': { full: onnxThroughHosts },
  properties: { full: () => randomProperties(ROUNDS) },
  quality: { full: () => qualityIntervals(SAMPLES), short: () => qualityIntervals(SAMPLES / 100) },
  reference: { full: () => referenceData(ROWS), short: () => referenceData(ROWS / 100) },
  sagemaker: { full: sageMakerPackages },
  'sagemaker-endpoint': { full: sageMakerEndpoints },
  sequences: {
    full: () => everySequence(SEQUENCES),
    short: () => everySequence(HUNDREDTH_OF_SEQUENCES),
  },
  signed: { full: signedModels },
  traffic: { full: () => busyWindow(BUSY), short: () => busyWindow(HUNDREDTH_OF_BUSY) },
};

const args = process.argv.slice(2);
const isShort = args.includes('--short');
const wanted = args.filter((arg) => arg !== '--short');
const unknown = wanted.find((word) => !Object.hasOwn(parts, word));
if (unknown !== undefined) {
  console.error(`There is no ${unknown}; there are ${Object.keys(parts).join(', ')}.`);
  process.exit(2);
}
const long = wanted.find((word) => isShort && parts[word]?.short === undefined);
if (long !== undefined) {
  console.error(`${long} has no short form.`);
  process.exit(2);
}
/** What parts put into the machine's folder for temporary files; removed also where a signal ends them. */
const tmp = mkdtempSync(join(tmpdir(), 'models-soak-'));
// Images run as nobody: to be found in it, not to list it.
chmodSync(tmp, 0o711);
Object.assign(process.env, { TMPDIR: tmp, TEMP: tmp, TMP: tmp });
const remove = (): void => rmSync(tmp, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
exitBySignals(remove);
const recorded = recordCalls();
for (const [name, { full, short }] of Object.entries(parts)) {
  const part = isShort ? short : full;
  if (part === undefined || (wanted.length > 0 && !wanted.includes(name))) continue;
  const began = performance.now();
  try {
    const figures = await part();
    console.log(`soak ${name} ${figures}, ${((performance.now() - began) / 1000).toFixed(0)} s ok`);
  } catch (error) {
    console.log(`soak ${name} ${error instanceof Error ? error.message : error} failed`);
    process.exitCode = 1;
  }
}
const report = await recorded();
if (report !== undefined) {
  const faults = faultsOf(report);
  console.error([...faults, summaryOf(report)].join('\n'));
  if (faults.length > 0) process.exitCode = 1;
}
remove();
