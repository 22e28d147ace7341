import type { BenchDocument } from '../capacity/contract.ts';
import { isObject } from '../json/is-object.ts';
import type { ObjectPort } from '../ports/aws.ts';

/**
 * What benches of deployed versions found, beside the versions' records. Older workers look at no folder
 * below those.
 *
 *     versions/<model>/bench/<n>-<time>.json   the document of a bench of version n
 *     versions/<model>/bench/<n>-<time>.html   its page
 */
export type Benches = {
  /** Keeps one; a second time does nothing. @returns the key of its document */
  readonly keep: (
    bench: BenchDocument & { readonly target: { readonly version: string } },
    page: string,
  ) => Promise<string>;
  /** @returns the newest bench of each of these versions, oldest version first */
  readonly newest: (model: string, versions: readonly string[]) => Promise<readonly BenchDocument[]>;
};

const SUFFIX = '.json';

export function benchesIn(objects: ObjectPort, scope: string): Benches {
  const folder = (model: string): string => `${scope}versions/${model}/bench/`;
  return {
    keep: async (bench, page) => {
      const { at, model, target } = bench;
      const key = `${folder(model)}${target.version}-${at.replace(/[^0-9TZ]/g, '')}`;
      await objects.create(`${key}.html`, page);
      await objects.create(`${key}${SUFFIX}`, `${JSON.stringify(bench, null, 1)}\n`);
      return `${key}${SUFFIX}`;
    },
    newest: async (model, versions) => {
      const keys = (await objects.list(folder(model))).filter((key) => key.endsWith(SUFFIX));
      const wanted = versions.map((version) =>
        keys.findLast((key) => key.startsWith(`${folder(model)}${version}-`)),
      );
      const found = await Promise.all(
        wanted.map(async (key) =>
          key === undefined ? undefined : documentOf((await objects.get(key))?.text),
        ),
      );
      return found.filter((one) => one !== undefined);
    },
  };
}

/** @returns undefined for what is none, or of another schema */
function documentOf(text: string | undefined): BenchDocument | undefined {
  try {
    const document: unknown = JSON.parse(text ?? '');
    return isBench(document) ? document : undefined;
  } catch {
    return undefined;
  }
}

/** What is read of it: somebody may have written into it, and who reads history, or a cost, asks for more. */
function isBench(value: unknown): value is BenchDocument {
  if (!isObject(value)) return false;
  const { schema, at, target, scenarios, curve } = value;
  return (
    schema === 1 &&
    typeof at === 'string' &&
    !Number.isNaN(Date.parse(at)) &&
    isObject(target) &&
    typeof target.version === 'string' &&
    Array.isArray(scenarios) &&
    scenarios.every(isScenario) &&
    (curve === undefined || (isObject(curve) && isNumberOrNone(curve.capacity)))
  );
}

const isNumberOrNone = (value: unknown): boolean => value === undefined || typeof value === 'number';

function isScenario(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { scenario, verdict, rate, samples, percentiles, promised, cold, faults, duration, mean } = value;
  return (
    typeof scenario === 'string' &&
    typeof verdict === 'string' &&
    typeof samples === 'number' &&
    isObject(cold) &&
    [rate, duration, mean, cold.init, cold.median].every(isNumberOrNone) &&
    (faults === undefined || (Array.isArray(faults) && faults.every(isObject))) &&
    Array.isArray(percentiles) &&
    percentiles.every((one) => isObject(one) && typeof one.ms === 'number') &&
    (promised === undefined || (isObject(promised) && isNumberOrNone(promised.upper)))
  );
}
