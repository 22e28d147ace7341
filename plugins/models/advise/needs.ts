import { MOST_AT_ONCE } from '../../../core/advice/advise.ts';
import type { AdviceNeeds, From, ModelSize } from '../../../core/advice/contract.ts';
import { bytesStored } from '../../../core/advice/device.ts';
import { GUESSED_PAYLOAD, guessedMemory, guessedService } from '../../../core/advice/guess.ts';
import { numberWords, timeWords } from '../../../core/advice/words.ts';
import { initSeconds } from '../../../core/capacity/environments/init.ts';
import { usage } from '../context/context.ts';
import type { Model } from '../declaration/model.ts';
import type { BenchFigures } from './bench-figures.ts';
import { bytesFlag, chosenFlag, latencyFlag, numberFlag, trafficFlag } from './flags.ts';
import type { AdviseFlags } from './options.ts';

/** What is known of the file itself. */
export type KnownFile = { readonly size: ModelSize; readonly rowBytes: number };

const MS = { least: 0.001, most: 900_000, what: 'a number of milliseconds', example: '20' } as const;

const from = <T>(value: T | undefined, where: string): From<T> | undefined =>
  value === undefined ? undefined : { value, from: where };

/**
 * What is needed: the command line goes before serverless.yml, that before a bench, and that before guesses.
 *
 * @throws ProblemError
 */
export function adviceNeeds(
  flags: AdviseFlags,
  { rowBytes, size }: KnownFile,
  model?: Model,
  bench?: BenchFigures,
): AdviceNeeds {
  const at = (key: string): string => `models.${model?.name}.${key}`;
  const bytes = bytesStored(size);
  const declared = model?.needs;
  const ms = (name: string): number | undefined => {
    const value = numberFlag(flags, name, MS);
    return value === undefined ? undefined : value / 1000;
  };
  const sure = <T>(...found: readonly (From<T> | undefined)[]) => {
    const first = found.find((one) => one !== undefined);
    return first && { ...first, isGuess: false };
  };
  const guess = <T>(value: T) => ({ value, from: 'assumed', isGuess: true });
  const optional = {
    latency:
      from(latencyFlag(flags), '--latency') ??
      from(model?.latency && model.latency.p95 / 1000, at('latency.p95')),
    privacy: from(chosenFlag(flags, 'privacy'), '--privacy') ?? from(declared?.privacy, at('needs.privacy')),
    update: from(chosenFlag(flags, 'update'), '--update') ?? from(declared?.update, at('needs.update')),
    traffic: from(trafficFlag(flags), '--traffic') ?? from(model?.traffic, at('traffic')),
    budget:
      from(
        numberFlag(flags, 'budget', { least: 0.01, most: 1e9, what: 'dollars a month', example: '50' }),
        '--budget',
      ) ?? from(declared?.budget, at('needs.budget')),
    network: from(ms('network'), '--network'),
    deviceMemory: from(bytesFlag(flags, 'device-memory'), '--device-memory'),
  };
  const told = numberFlag(flags, 'memory', {
    ...{ least: 128, most: 10_000_000, what: 'a number of MB', example: '1769' },
  });
  const memory = memoryFor(bytes, told, model && from(model.memory, at('memory')), bench?.memory);
  const architecture =
    chosenFlag(flags, 'architecture') ?? model?.architecture ?? bench?.architecture ?? 'x86_64';
  const known: Partial<AdviceNeeds> = Object.fromEntries(
    Object.entries(optional).filter(([, value]) => value !== undefined),
  );
  const otherwise = bench && otherSize(bench, memory.value, architecture);
  const times = otherwise === undefined ? bench : undefined;
  const service = sure(from(ms('duration'), '--duration'), times?.service) ?? guess(guessedService(bytes));
  const start = sure(from(ms('start'), '--start'), times?.start) ?? guess(initSeconds(bytes));
  const isMissed =
    (service.isGuess && bench?.service !== undefined) || (start.isGuess && bench?.start !== undefined);
  const burst = from(
    numberFlag(flags, 'burst', { least: 1, most: 1000, what: 'a number', example: '3' }),
    '--burst',
  ) ??
    from(declared?.burst, at('needs.burst')) ?? { value: 1, from: 'assumed' };
  atOnce(known, service.value, burst.value);
  return {
    ...known,
    ...(otherwise !== undefined && isMissed && { benchLeftOut: otherwise }),
    deviceUpdate: from(chosenFlag(flags, 'device-update'), '--device-update') ?? {
      value: 'monthly',
      from: 'assumed',
    },
    burst,
    service,
    start,
    payload:
      sure(
        from(bytesFlag(flags, 'payload'), '--payload'),
        from(declared?.payload, at('needs.payload')),
        bench?.payload,
      ) ?? guess(Math.max(GUESSED_PAYLOAD, Math.round(2 * rowBytes))),
    memory,
    architecture,
    http: model?.http !== undefined,
    batch: model?.batch !== undefined,
    size,
  };
}

/**
 * What does not hold the weights alone runs nothing, whoever wrote it: most models have the default.
 *
 * @param bytes of the weights, as stored
 * @throws ProblemError where it was asked for
 */
function memoryFor(
  bytes: number,
  told: number | undefined,
  declared: From<number> | undefined,
  measured: From<number> | undefined,
): AdviceNeeds['memory'] {
  const least = Math.ceil(bytes / 1024 ** 2);
  if (told !== undefined && told < least)
    throw usage(
      '--memory',
      `${told.toLocaleString('en-US')} MB are less than the weights alone take, ${least.toLocaleString('en-US')} MB.`,
      `Write ${least} or more, or leave it out.`,
    );
  const isHeld = declared === undefined || declared.value >= least;
  const found = from(told, '--memory') ?? (isHeld ? declared : undefined) ?? measured;
  if (found !== undefined) return { ...found, isGuess: false };
  const why = isHeld ? 'assumed' : `assumed, since the weights alone are more than ${declared.from}`;
  return { value: guessedMemory(bytes), from: why, isGuess: true };
}

/** @returns why times of the bench say nothing of this size; undefined where they do */
function otherSize(bench: BenchFigures, memory: number, architecture: string): string | undefined {
  const where = (bench.service ?? bench.start)?.from ?? 'the bench';
  const sizeWords = (mb: number, processor: string): string =>
    `${mb.toLocaleString('en-US')} MB, ${processor}`;
  const counted = sizeWords(memory, architecture);
  if (bench.isSizeUntold)
    return `${where} has a memory that Lambda did not tell, and ${counted}, are counted`;
  const measured = sizeWords(bench.memory?.value ?? memory, bench.architecture ?? architecture);
  return measured === counted ? undefined : `${where} has ${measured}, and ${counted}, are counted`;
}

/** @throws ProblemError where more requests would be out at once than anything here is made for */
function atOnce({ traffic }: Partial<AdviceNeeds>, service: number, burst: number): void {
  if (traffic === undefined) return;
  const requests = traffic.value * burst * service;
  if (requests <= 10 * MOST_AT_ONCE) return;
  const most = (10 * MOST_AT_ONCE).toLocaleString('en-US');
  const more = burst > 1 ? `, ${numberWords(burst)} times as many in a burst,` : '';
  throw usage(
    traffic.from,
    `${numberWords(traffic.value)} requests a second${more} of ${timeWords(service)} each are ${numberWords(requests)} at once; ${most} are the most that is counted.`,
    'Check the unit of both: --traffic is a second, --duration in milliseconds.',
  );
}
