import { INIT_SECONDS, initSeconds } from '../capacity/environments/init.ts';
import { type AdviceNeeds, FORMS, type Form, REAL_TIME, type RuleReason, UPDATES } from './contract.ts';
import { bytesStored } from './device.ts';
import { deviceRule } from './device-rules.ts';
import { coldOnDemand } from './lambda-cost.ts';
import { formLoad, wholeCpu } from './load.ts';
import { PERCENTILE } from './servers.ts';
import { MOST_INSTANCE_MB, MOST_TASK_MB } from './sizes.ts';
import { memoryWords, percentWords, timeWords, weightWords } from './words.ts';

/**
 * What decides before cost does, in this order. Each rule tells the number that decided, and where that is
 * from.
 */

/** Shorter than this no network and no service elsewhere keeps. */
const EDGE_SECONDS = 0.01;
/** Nobody waits longer than this for an answer. */
export const BATCH_SECONDS = 60;

/**
 * Bytes of a request to a function, and as many of its answer:
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
const LAMBDA_PAYLOAD = 6 * 1024 ** 2;
const LAMBDA_MB = 10_240;
/** https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances.html */
const MANAGED_MB = 32_768;
/**
 * The longest request that is waited for, on Managed Instances, too, and the longest INIT where instances are
 * provisioned:
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 */
const LAMBDA_SECONDS = 900;
/** https://docs.aws.amazon.com/sagemaker/latest/dg/realtime-endpoints.html */
const SAGEMAKER_SECONDS = 60;
/**
 * How long an HTTP API waits for a function:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
 */
const HTTP_SECONDS = 30;

const CLOUD: readonly Form[] = FORMS.filter((form) => form !== 'edge');
const LAMBDA: readonly Form[] = ['batch', 'on-demand', 'provisioned'];
/** Whose INIT ends after ten seconds. */
const ON_DEMAND: readonly Form[] = ['batch', 'on-demand'];
/** Those that have whole processors, whatever their memory. */
const WHOLE_CPU: readonly Form[] = ['managed', 'fargate', 'kubernetes', 'sagemaker'];
/** What the routes of `http` ask. */
const BEHIND_HTTP: readonly Form[] = ['on-demand', 'provisioned', 'managed'];

export const RULES: readonly ((needs: AdviceNeeds) => RuleReason | undefined)[] = [
  privacyRule,
  latencyRule,
  networkRule,
  computeRule,
  payloadRule,
  updateRule,
  deviceRule,
  memoryRule,
  startRule,
  coldRule,
];

function privacyRule({ batch, http, privacy }: AdviceNeeds): RuleReason | undefined {
  if (privacy === undefined) return undefined;
  const rule = 'privacy';
  const declared = [...(http ? ['http'] : []), ...(batch ? ['batch'] : [])].join(', ');
  const but =
    declared === '' ? '' : ` Yet this is declared: ${declared}, by which they come to AWS: both cannot hold.`;
  return privacy.value === 'local'
    ? { rule, words: `local (${privacy.from}): the data stay where they are.${but}`, excludes: CLOUD }
    : { rule, words: `central (${privacy.from}): the data go to one place.`, excludes: ['edge'] };
}

function latencyRule({ batch, http, latency, privacy }: AdviceNeeds): RuleReason | undefined {
  const rule = 'latency';
  if (latency === undefined) {
    if (!batch || http) return undefined;
    const words = 'batch is declared, and neither a latency nor HTTP: nobody waits for an answer.';
    return { rule, words, excludes: [...REAL_TIME, 'edge'] };
  }
  const given = `${timeWords(latency.value)} (${latency.from})`;
  if (latency.value < EDGE_SECONDS)
    return {
      rule,
      words: `${given} is less than ${timeWords(EDGE_SECONDS)}: only a model beside the data keeps that.`,
      excludes: CLOUD,
    };
  const isLocal = privacy?.value === 'local';
  if (latency.value >= BATCH_SECONDS)
    return {
      rule,
      words: `${given} is ${timeWords(BATCH_SECONDS)} or more: nobody waits for the answer, so it can be computed with others.`,
      excludes: isLocal ? [] : ['edge'],
    };
  const room = latency.value < 0.1 ? 'under 100 ms' : `under ${timeWords(BATCH_SECONDS)}`;
  return {
    rule,
    words: `${given} is ${room}: somebody waits for the answer, and batch is no way to give it, whatever it saves.`,
    excludes: isLocal ? ['batch'] : ['batch', 'edge'],
  };
}

/** Seconds that a form computes a request by itself: below 1,769 MB a function has a part of a processor. */
function computing(needs: AdviceNeeds): (form: Form) => number {
  const whole = wholeCpu(formLoad(needs, 0));
  return (form) => (WHOLE_CPU.includes(form) ? whole : needs.service.value);
}

function networkRule(needs: AdviceNeeds): RuleReason | undefined {
  const { latency, network } = needs;
  if (latency === undefined || network === undefined) return undefined;
  const computes = computing(needs);
  const excludes = REAL_TIME.filter((form) => network.value + computes(form) > latency.value);
  if (excludes.length === 0) return undefined;
  const least = Math.min(...excludes.map(computes));
  return {
    rule: 'network',
    words: `${timeWords(network.value)} (${network.from}) there and back and ${timeWords(least)} of computing are more than ${timeWords(latency.value)}.`,
    excludes,
  };
}

/** By itself, where nothing queues. */
function computeRule(needs: AdviceNeeds): RuleReason | undefined {
  const { http, latency, service } = needs;
  const computes = computing(needs);
  const longest = (form: Form): number => {
    if (http && BEHIND_HTTP.includes(form)) return HTTP_SECONDS;
    if (form === 'managed' || LAMBDA.includes(form)) return LAMBDA_SECONDS;
    return form === 'sagemaker' ? SAGEMAKER_SECONDS : Number.POSITIVE_INFINITY;
  };
  const excludes = CLOUD.filter((form) => {
    return computes(form) > Math.min(longest(form), latency?.value ?? Number.POSITIVE_INFINITY);
  });
  if (excludes.length === 0) return undefined;
  const isTooLate = latency !== undefined && service.value > latency.value;
  const limit = isTooLate ? timeWords(latency.value) : longestWords(excludes, http);
  return {
    rule: 'computing',
    words: `a request computes ${timeWords(service.value)} (${service.from}) by itself, which is more than ${limit}${service.isGuess ? '; measure it before you believe this' : ''}.`,
    excludes,
  };
}

/** The shortest time that somebody waits for one of these. */
function longestWords(forms: readonly Form[], http: boolean): string {
  if (http && forms.some((form) => BEHIND_HTTP.includes(form)))
    return `the ${timeWords(HTTP_SECONDS)} that an HTTP API waits for an answer`;
  return forms.includes('sagemaker')
    ? `the ${timeWords(SAGEMAKER_SECONDS)} that SageMaker waits for an answer`
    : `the ${timeWords(LAMBDA_SECONDS)} that a function may take`;
}

function payloadRule({ payload }: AdviceNeeds): RuleReason | undefined {
  const { from, larger, value } = payload;
  // Where only the sum is known, each may be half of it.
  const isKept = larger === undefined ? value <= 2 * LAMBDA_PAYLOAD : larger <= LAMBDA_PAYLOAD;
  if (isKept) return undefined;
  const what =
    larger === undefined
      ? `${memoryWords(value)} (${from}) of a request and its answer`
      : `${memoryWords(larger)} (${from}) of a request or its answer`;
  return {
    rule: 'payload',
    // The host is the same handler, with the same limits.
    words: `${what} are more than the ${memoryWords(LAMBDA_PAYLOAD)} that Lambda takes of each: batch, or containers with another server, since this plugin’s host takes no more either.`,
    excludes: ['on-demand', 'provisioned', 'managed', 'sagemaker'],
  };
}

function updateRule({ deviceUpdate, update }: AdviceNeeds): RuleReason | undefined {
  if (update === undefined) return undefined;
  if (UPDATES.indexOf(update.value) <= UPDATES.indexOf(deviceUpdate.value)) return undefined;
  return {
    rule: 'update',
    words: `${update.value} (${update.from}) is more often than devices get an update, ${deviceUpdate.value} (${deviceUpdate.from}).`,
    excludes: ['edge'],
  };
}

function memoryRule({ memory }: AdviceNeeds): RuleReason | undefined {
  const mb = memory.value;
  const excludes: Form[] = [];
  if (mb > LAMBDA_MB) excludes.push('batch', 'on-demand', 'provisioned');
  if (mb > MANAGED_MB) excludes.push('managed');
  if (mb > MOST_TASK_MB) excludes.push('fargate');
  if (mb > MOST_INSTANCE_MB) excludes.push('kubernetes', 'sagemaker');
  if (excludes.length === 0) return undefined;
  const limits = [
    [LAMBDA_MB, 'of a function'],
    [MANAGED_MB, 'of a Managed Instance’s function'],
    [MOST_TASK_MB, 'of a task on Fargate'],
    [MOST_INSTANCE_MB, 'of the largest instance that is counted here'],
  ].flatMap(([limit, what]) => (mb > Number(limit) ? [`the ${exact(Number(limit))} MB ${what}`] : []));
  return {
    rule: 'memory',
    words: `${exact(mb)} MB (${memory.from}) of memory is more than ${limits.join(', and than ')}.`,
    excludes,
  };
}

function startRule({ size, start }: AdviceNeeds): RuleReason | undefined {
  const bytes = bytesStored(size);
  const seconds = start.isGuess ? initSeconds(bytes) : start.value;
  if (seconds <= INIT_SECONDS) return undefined;
  const taken = start.isGuess
    ? `reading ${weightWords(bytes)} at start takes about ${timeWords(seconds)}`
    : `a start takes ${timeWords(seconds)} (${start.from})`;
  const longest = seconds > LAMBDA_SECONDS;
  return {
    rule: 'start',
    words: `${taken}, and Lambda stops a start ${longest ? '' : 'on demand '}after ${timeWords(longest ? LAMBDA_SECONDS : INIT_SECONDS)}.`,
    excludes: longest ? LAMBDA : ON_DEMAND,
  };
}

const exact = (count: number): string => count.toLocaleString('en-US');

function coldRule(needs: AdviceNeeds): RuleReason | undefined {
  const { latency, network, service, start, traffic } = needs;
  if (traffic === undefined) return undefined;
  const cold = start.value + service.value + (network?.value ?? 0);
  const share = coldOnDemand(formLoad(needs, traffic.value));
  const most = 1 - PERCENTILE;
  if (latency === undefined || cold <= latency.value)
    return {
      rule: 'cold starts',
      words: `${percentWords(share)} of the requests meet a start of ${timeWords(start.value)} (${start.from}) on demand${latency === undefined ? '' : `, which ${timeWords(latency.value)} allow for`}.`,
      excludes: [],
    };
  const isKept = share <= most;
  return {
    rule: 'cold starts',
    words: `${percentWords(share)} of the requests meet a start of ${timeWords(start.value)} (${start.from}) on demand; ${isKept ? 'up to ' : 'only '}${percentWords(most)} may, for p95 to hold.`,
    excludes: isKept ? [] : ['on-demand'],
  };
}
