import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { AdviceNeeds, From } from '../../../core/advice/contract.ts';
import { benchTimes } from '../../../core/capacity/bench-times.ts';
import type { BenchDocument } from '../../../core/capacity/contract.ts';
import { MB_PER_VCPU } from '../../../core/endpoint/contract.ts';
import { isObject } from '../../../core/json/is-object.ts';
import { usage } from '../context/context.ts';

/** What a bench knows of a model, in the units of the advice. */
export type BenchFigures = {
  readonly service?: From<number>;
  readonly start?: From<number>;
  /** A request and its answer together; `larger`: the larger one of both. */
  readonly payload?: From<number> & { readonly larger?: number };
  readonly memory?: From<number>;
  readonly architecture?: AdviceNeeds['architecture'];
  /** Lambda did not tell memory and architecture of the version. */
  readonly isSizeUntold?: true;
  /** MB that one process or instance took at most. */
  readonly used?: From<number>;
  /** Identity of the artifact, where it is known. */
  readonly identity?: string;
  /** sha256 over the source artifact of a deployed version, where it is known. */
  readonly source?: string;
};

const ARCHITECTURES = ['x86_64', 'arm64'] as const;

/** @param from where the document lies, for people */
export function benchFigures(document: BenchDocument, from: string): BenchFigures {
  const { asked, scenarios, target } = document;
  const where = `${from}, ${document.at.slice(0, 10)}`;
  const figure = (value: number | undefined): From<number> | undefined =>
    value !== undefined && Number.isFinite(value) && value > 0 ? { value, from: where } : undefined;
  const { duration, init, isLambdas } = benchTimes(document);
  // A process here has a whole processor; below 1,769 MB a function has a part of one.
  const slower = target.kind === 'here' ? Math.max(1, MB_PER_VCPU / (target.memory ?? MB_PER_VCPU)) : 1;
  // A request of Offline has many rows.
  const single = scenarios.filter(({ scenario }) => scenario !== 'Offline');
  const answers = Math.max(0, ...single.map(({ bytes }) => bytes));
  const payload = figure(Math.round(asked.bytes + answers));
  const { architecture } = target;
  const service = figure(duration === undefined ? undefined : (slower * duration) / 1000);
  // Whose processor that was nobody knows.
  const way = target.kind === 'url' && !isLambdas ? `, with the way to ${target.name}` : '';
  const figures = {
    service: service && { ...service, from: `${service.from}${way}` },
    // Here a start is that of another process.
    start: target.kind === 'function' && init !== undefined ? figure(init / 1000) : undefined,
    payload: payload && {
      ...payload,
      ...(answers > 0 && { larger: Math.round(Math.max(asked.bytes, answers)) }),
    },
    memory: figure(target.memory),
    architecture: ARCHITECTURES.find((one) => one === architecture),
    isSizeUntold: target.kind === 'function' && target.memory === undefined ? true : undefined,
    used: figure(mostMemory(document)),
    identity: target.identity,
  };
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== undefined));
}

/** The most of all that was measured, also at the rates of a curve. */
function mostMemory({ scenarios, curve }: BenchDocument): number {
  const ceilings = [...scenarios, ...(curve?.atCapacity ? [curve.atCapacity] : [])].flatMap(
    // A person’s file may lack them.
    (one) => one.ceilings ?? [],
  );
  return Math.max(0, ...ceilings.filter(({ name }) => name === 'memory').map(({ used }) => used));
}

/** @throws ProblemError where a person named the file, and it is none of bench */
export async function benchInFile(file: string, folder: string): Promise<BenchFigures> {
  const refused = (why: string): Error =>
    usage('--bench', `${file} ${why}.`, 'Name the bench.json that `sls models bench` wrote.');
  const text = await readFile(resolve(folder, file), 'utf8').catch((error: unknown) => {
    throw refused(`cannot be read: ${error instanceof Error ? error.message : error}`);
  });
  const figures = figuresIn(text, file);
  if (figures === undefined) throw refused('is no document of bench');
  return figures;
}

/** @returns undefined for what is none */
export function figuresIn(text: string, from: string): BenchFigures | undefined {
  try {
    const document = benchIn(text);
    return document && benchFigures(document, from);
  } catch {
    // Somebody’s file may have anything inside.
    return undefined;
  }
}

/** @returns undefined for what is none, or of another schema */
function benchIn(text: string): BenchDocument | undefined {
  try {
    const document: unknown = JSON.parse(text);
    const isOurs =
      isObject(document) &&
      document.schema === 1 &&
      Array.isArray(document.scenarios) &&
      isObject(document.asked) &&
      isObject(document.target) &&
      typeof document.at === 'string';
    return isOurs ? (document as unknown as BenchDocument) : undefined;
  } catch {
    return undefined;
  }
}
