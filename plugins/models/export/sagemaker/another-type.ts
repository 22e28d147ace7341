import { parse } from 'yaml';

/** A template that was exported before, where it has another type of instance. */
export type AnotherType = {
  readonly from: string;
  readonly to: string;
  /** Names of its parameters: an update of its stack must name each. */
  readonly parameters: readonly string[];
};

/**
 * SageMaker refuses an update to another type of instance while the number of instances follows the load.
 * https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-update.html
 *
 * @param earlier text of the template before; empty where there was none
 * @returns undefined where the type is the same, or nobody knows
 */
export function anotherType(earlier: string, now: string): AnotherType | undefined {
  const from = typeIn(earlier);
  const to = typeIn(now);
  if (from === undefined || to === undefined || from === to) return undefined;
  return { from, to, parameters: parametersIn(earlier) };
}

const typeIn = (template: string): string | undefined => /^ +InstanceType: (ml\.\S+)$/m.exec(template)?.[1];

function parametersIn(template: string): readonly string[] {
  try {
    return Object.keys(parse(template)?.Parameters ?? {});
  } catch {
    // A person has written into it.
    return [];
  }
}
