import { HOST_CONFIG, HOST_GRPC_PORT } from '../../../../core/host/contract.ts';
import { isObject } from '../../../../core/json/is-object.ts';
import { preloadsIn, withoutPreloads } from '../../../../core/node/node-options.ts';
import type { Json } from '../../contracts/cloudformation.ts';
import type { Host } from '../../contracts/host.ts';
import type { Model, ServiceOptions } from '../../declaration/model.ts';
import type { ImageDigest } from './image-digest.ts';
import type { WorkerMemory } from './worker-memory.ts';

/** All that exported files follow from. */
export type ExportGiven = {
  readonly model: Model;
  readonly host: Pick<Host, 'service' | 'stage' | 'region' | 'provider'>;
  readonly image: ImageDigest;
  readonly memory: WorkerMemory;
  /** Who is told of alarms. */
  readonly alerts?: ServiceOptions['alerts'] | undefined;
  /** Percent of the processors that scaling aims at. */
  readonly cpu: number;
  /** Whether gRPC is open beside HTTP. */
  readonly grpc: boolean;
};

/** What is known before there is an image. */
export type ExportBefore = Omit<ExportGiven, 'image'>;

/** A folder’s files: texts by name. */
export type ExportedFiles = Readonly<Record<string, string>>;

/** What listens in the image; `PORT` tells it so. SageMaker knows no other. */
export const EXPORT_PORT = 8080;

/** Where gRPC listens, where it is asked for: as MLServer’s and KServe’s own servers do beside 8080. */
export const EXPORT_GRPC_PORT = 8081;

/** Seconds in which the host’s workers have to have loaded the model. */
export const START_SECONDS = 120;

/** Pods and instances at least, so that one may go while the other answers. */
const FEWEST = 2;
/** And at most, where nothing says how many. */
const MOST = 10;

/** One name for all that is made of a model, which Kubernetes and SageMaker both take. */
export const exportedName = ({ model, host }: Pick<ExportGiven, 'model' | 'host'>): string =>
  `${host.service}-${host.stage}-${model.name}`.toLowerCase();

/**
 * How many workers there should be: instances on Lambda have one request at a time, and so have the host’s
 * workers.
 *
 * @param workers of one pod or instance
 */
export function scaleOf(
  { concurrency }: Model,
  workers: number,
): { readonly min: number; readonly max: number } {
  const { provisioned, reserved } = concurrency ?? {};
  const least = Math.max(FEWEST, Math.ceil((provisioned?.min ?? 0) / workers));
  const peak = Math.max(provisioned?.max ?? 0, ...(concurrency?.schedule ?? []).map(({ max }) => max));
  const most = peak > (provisioned?.min ?? 0) ? peak : (reserved ?? MOST * workers);
  return { min: least, max: Math.max(least, Math.ceil(most / workers)) };
}

/**
 * What the image or the file itself sets: another value would keep the host from its port or its files, or
 * open gRPC where `--grpc` was not asked for. The last is Lambda’s alone.
 */
const OWN = [
  ...['PORT', HOST_CONFIG, HOST_GRPC_PORT, 'NODE_PATH', 'HOME', 'PATH', 'LAMBDA_TASK_ROOT'],
  'AWS_LAMBDA_EXEC_WRAPPER',
];

type Variables = Pick<ExportGiven, 'model' | 'host'>;

/** The provider’s, then the function’s own, which go before. */
const environmentsOf = ({ model, host }: Variables): readonly Json[] =>
  [host.provider.environment, model.function.environment].filter(isObject);

/** Names of the variables that transforms may read: their values may be secrets, and are in no file. */
export function variableNames(given: Variables): readonly string[] {
  const names = environmentsOf(given).flatMap((one) => Object.keys(one));
  const isOut = preloadsOf(given).left === undefined;
  return [...new Set(names)].filter((name) => !OWN.includes(name) && !(name === OPTIONS && isOut)).sort();
}

const OPTIONS = 'NODE_OPTIONS';

/**
 * What Node would load first, and what else its options are. A base that somebody names may have the files.
 */
function preloadsOf(given: Variables): { readonly files: readonly string[]; readonly left?: string } {
  const value = environmentsOf(given).findLast((one) => Object.hasOwn(one, OPTIONS))?.[OPTIONS];
  const files = typeof value === 'string' ? preloadsIn(value) : [];
  if (typeof value !== 'string' || files.length === 0 || given.model.image?.base !== undefined)
    return { files: [], left: '' };
  const { [OPTIONS]: left } = withoutPreloads({ [OPTIONS]: value });
  return { files, ...(left !== undefined && { left }) };
}

/** On Lambda they are in a layer, and Node ends where one is not there. */
export function preloadWords(given: Variables): readonly string[] {
  const { files, left } = preloadsOf(given);
  if (files.length === 0) return [];
  const what = `${OPTIONS} has Node load ${files.join(', ')} first, of a layer on Lambda, and no layer is in the image`;
  return [
    left === undefined
      ? `${what}: the variable is left out.`
      : `${what}: leave that out of the value here, or nothing starts.`,
  ];
}

/** What a model has on Lambda, and not where these files go. */
export function leftOnLambda({ batch, drift, gate, audit }: Model): readonly string[] {
  return [
    ...(gate === undefined ? [] : ['gate']),
    'release (canary, judge, rollback)',
    ...(drift === undefined ? [] : ['drift']),
    ...(batch === undefined ? [] : ['batch']),
    ...(audit === undefined ? [] : ['callers, retention and key of the audit']),
  ];
}

/** The host writes the lines of an audit wherever it runs: they may be about people. */
export const auditWords = ({ audit }: Model): readonly string[] =>
  audit === undefined
    ? []
    : [
        `The audit’s line of each decision goes into the container’s log here${audit.predictions ? ', with the outputs (audit.predictions)' : ''}. It names no caller, and retention and kmsKey of audit do not hold for that log.`,
      ];
