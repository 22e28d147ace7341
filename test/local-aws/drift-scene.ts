/**
 * Models with reference data, their traffic in the log as the endpoint's own meter writes it, and the monitor
 * as it is shipped.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { MONITOR_TIMEOUT, type ScoredBaseline, type Watched } from '../../core/drift/contract.ts';
import type { Span } from '../../core/drift/windows.ts';
import { WORKER_ENV as REGISTRY } from '../../core/release/document/worker-contract.ts';
import type { Signature } from '../../core/tensor/contract.ts';
import type { Tensors } from '../../core/tensor/tensors.ts';
import { createMeter, type Meter } from '../../functions/infer/metrics.ts';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, REGION } from '../../local-aws/start.ts';
import type { Alarm } from '../../plugins/models/contracts/alarm.ts';
import type { Host } from '../../plugins/models/contracts/host.ts';
import type { DriftFacts } from '../../plugins/models/declaration/model.ts';
import { parseModels } from '../../plugins/models/declaration/parse.ts';
import { ownFile } from '../../plugins/models/disk/own-file.ts';
import { driftAlarms } from '../../plugins/models/plan/drift/alarms.ts';
import { drifting, monitorManifest } from '../../plugins/models/plan/drift/monitor.ts';
import { signalsOf } from '../../plugins/models/plan/watch/metrics.ts';
import { bundle, importPath } from '../../plugins/models/ship/bundle.ts';
import { prepare } from '../../plugins/models/ship/prepare.ts';
import { shipReference } from '../../plugins/models/ship/reference.ts';
import { HOST } from '../fixtures/service.ts';
import {
  FLOAT,
  modelOf,
  node,
  STRING,
  tensorInfo,
} from '../unit/plugins/models/artifact/onnx/onnx-writer.ts';
import { ACCOUNT, LOGS, makeFunction } from './lambda.ts';
import type { Event } from './log-events.ts';

export const DAY = 86_400_000;
export const BUCKET = 'registry';
export const FILES = 'models/files/';
export const SCOPE = `models/${ACCOUNT}/${REGION}/shop/dev/`;
const host: Host = { ...HOST, region: REGION, bucket: BUCKET };

/** Columns of a row; NaN, and an absent text, for none. */
export type Row = {
  readonly amount?: number;
  readonly fixed?: number;
  readonly gone?: number;
  readonly plan?: string;
};
/** Columns of a model: those of `native` are watched by CloudWatch alone. */
const COLUMNS = {
  native: ['amount', 'fixed'],
  wide: ['amount', 'fixed', 'gone', 'plan'],
} as const;
export type Kind = keyof typeof COLUMNS;

let turn = 0;
/** Evenly over 0 to 1, in an order that has nothing to do with theirs. */
const even = (step: number): number => (turn * step) % 1;
/** A row as in the reference, but for what is given. */
export function rowOf(given: Row = {}): Required<Row> {
  turn += 1;
  const share = even(0.754_877_666);
  const plan = share < 0.6 ? 'a' : share < 0.9 ? 'b' : 'c';
  return { amount: even(0.618_033_988_75), fixed: 7, gone: Number.NaN, plan, ...given };
}

/** y = amount + fixed; nothing reads the other columns. */
function graph(kind: Kind): Uint8Array {
  return modelOf({
    nodes: [node('Add', ['amount', 'fixed'], ['y'])],
    inputs: COLUMNS[kind].map((name) => tensorInfo(name, name === 'plan' ? STRING : FLOAT, ['n', 1])),
    outputs: [tensorInfo('y', FLOAT, ['n', 1])],
  });
}

function tensorsOf(kind: Kind, rows: readonly Required<Row>[]): readonly [inputs: Tensors, outputs: Tensors] {
  const shape = [rows.length, 1];
  const floats = (of: (row: Required<Row>) => number) =>
    ({ datatype: 'FP32', shape, data: Float32Array.from(rows, of) }) as const;
  const inputs = COLUMNS[kind].map((name) => [
    name,
    name === 'plan'
      ? ({ datatype: 'BYTES', shape, data: rows.map((row) => row.plan) } as const)
      : floats((row) => row[name]),
  ]);
  return [
    Object.fromEntries(inputs),
    { y: floats((row) => Math.fround(row.amount) + Math.fround(row.fixed)) },
  ];
}

/** Reference data as the plugin packs them. */
export type Packed = {
  readonly kind: Kind;
  readonly signature: Signature;
  readonly scored: ScoredBaseline;
  readonly facts: DriftFacts;
  /** The baseline's JSON, which the registry keeps by its digest. */
  readonly baseline: string;
};

/** @param reference rows; NaN for an empty cell */
export async function packed(kind: Kind, reference: readonly Required<Row>[]): Promise<Packed> {
  const dir = await mkdtemp(join(tmpdir(), 'drift-'));
  try {
    const cell = (value: number | string): string => (Number.isNaN(value) ? '' : String(value));
    const rows = reference.map((row) => COLUMNS[kind].map((column) => cell(row[column])));
    const text = [COLUMNS[kind], ...rows].map((cells) => cells.join(',')).join('\n');
    await writeFile(join(dir, 'reference.csv'), `${text}\n`);
    await writeFile(join(dir, 'm.onnx'), graph(kind));
    const model = declared('m');
    const context = { serviceDir: dir, outDir: join(dir, '.serverless'), progress: () => {} };
    const prepared = await prepare(model, context);
    const { scored, facts, upload } = await shipReference('m', model.drift, prepared, context);
    const baseline = await readFile(upload.from, 'utf8');
    return { kind, signature: prepared.inspection.signature, scored, facts, baseline };
  } finally {
    await rm(dir, { recursive: true });
  }
}

function declared(name: string) {
  const { models, problems } = parseModels({
    [name]: { artifact: 'm.onnx', optimize: false, drift: { baseline: 'reference.csv', window: '1d' } },
  });
  const [model] = drifting(models);
  if (model === undefined) throw new Error(JSON.stringify(problems));
  return model;
}

export type Scene = {
  readonly watched: Watched;
  readonly alarms: readonly Alarm[];
  /**
   * The log's events of a request that was answered at a time.
   *
   * @param version with the reference data that it has
   */
  readonly asked: (
    at: number,
    rows: readonly Required<Row>[],
    version?: string,
    of?: Packed,
  ) => readonly Event[];
};

/** A model of that name, as the plan and its endpoint have it. */
export function sceneOf(name: string, own: Packed): Scene {
  const model = declared(name);
  const [watched] = monitorManifest([model], host, new Map([[name, { drift: own.facts }]]));
  if (watched === undefined) throw new Error('nothing is watched');
  let written = '';
  const meters = new Map<string, Meter>();
  const meterOf = (version: string, { scored, signature }: Packed): Meter => {
    const key = `${version} ${scored.baseline}`;
    const meter =
      meters.get(key) ??
      createMeter(
        {
          schema: 1,
          model: name,
          identity: 'i',
          signature,
          opset: 20,
          file: 'model/m.onnx',
          remote: [],
          signals: signalsOf(signature),
          drift: scored,
        },
        { AWS_LAMBDA_FUNCTION_NAME: watched.functionName, AWS_LAMBDA_FUNCTION_VERSION: version },
        true,
        (lines) => {
          written = lines;
        },
      );
    meters.set(key, meter);
    return meter;
  };
  return {
    watched,
    alarms: driftAlarms(model, own.facts, host),
    asked: (at, rows, version = '1', of = own) => {
      const meter = meterOf(version, of);
      const [inputs, outputs] = tensorsOf(of.kind, rows);
      const clock = Date.now;
      Date.now = () => at;
      try {
        meter.answered(meter.now(), meter.score(outputs), meter.drift?.(inputs, outputs));
      } finally {
        Date.now = clock;
      }
      return written
        .trimEnd()
        .split('\n')
        .map((message) => ({ at, message }));
    },
  };
}

/**
 * As many requests over a window: of one row, and of ten, in turn.
 *
 * @param given what differs from the reference, asked for each row
 */
export function traffic(
  scene: Scene,
  { from, to }: Span,
  requests: number,
  given: () => Row = () => ({}),
  version?: string,
  of?: Packed,
): readonly Event[] {
  return Array.from({ length: requests }, (_, n) =>
    scene.asked(
      Math.floor(from + ((n + 0.5) * (to - from)) / requests),
      Array.from({ length: n % 2 === 0 ? 1 : 10 }, () => rowOf(given())),
      version,
      of,
    ),
  ).flat();
}

export const rowsOf = (count: number, given: Row = {}): readonly Required<Row>[] =>
  Array.from({ length: count }, () => rowOf(given));

/**
 * The monitor with the rights that it needs and no others.
 *
 * @param source of its handler; default: what is shipped
 */
export async function deployMonitor(
  aws: LocalAws,
  name: string,
  watched: readonly Watched[],
  source = MONITOR,
): Promise<void> {
  const groups = [
    ...new Set(watched.map(({ logGroup }) => `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${logGroup}:*`)),
  ];
  const sns = new SNSClient(client(aws.endpoint));
  const { TopicArn: topic = '' } = await sns.send(new CreateTopicCommand({ Name: 'alerts' }));
  sns.destroy();
  const text = `import { createMonitor } from ${importPath(ownFile('functions/drift/handler'))};\nconst watched = ${JSON.stringify(watched)};\n${source}`;
  await makeFunction(aws, {
    name,
    code: await bundle(text, import.meta.dirname, 'models'),
    timeout: MONITOR_TIMEOUT,
    memory: 1024,
    variables: {
      [REGISTRY.bucket]: BUCKET,
      [REGISTRY.scope]: SCOPE,
      [REGISTRY.files]: FILES,
      [REGISTRY.topic]: topic,
    },
    may: [
      { ...LOGS, Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'] },
      allow('logs:FilterLogEvents', ...groups),
      allow('s3:GetObject', `arn:aws:s3:::${BUCKET}/${FILES}*`),
      allow(['s3:GetObject', 's3:PutObject'], `arn:aws:s3:::${BUCKET}/${SCOPE}drift/*`),
      // A missing baseline is else not to be told from a denied one, and the documents are listed.
      allow('s3:ListBucket', `arn:aws:s3:::${BUCKET}`),
      allow('sns:Publish', topic),
    ],
  });
}
const MONITOR = 'export const handler = createMonitor(watched);\n';
const allow = (Action: string | string[], ...Resource: string[]) => ({ Effect: 'Allow', Action, Resource });
