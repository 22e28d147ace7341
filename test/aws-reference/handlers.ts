/**
 * What CloudFormation calls, in the deployer’s name, to make, change and remove a resource of each type: the
 * `handlers` of AWS’s own schemas of resource types, as the pinned cfn-lint has them.
 * https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pythonBin } from '../python.ts';

type Schema = {
  readonly handlers?: Readonly<Record<string, { readonly permissions: readonly string[] }>>;
  readonly tagging?: { readonly taggable?: boolean; readonly permissions?: readonly string[] };
};

/**
 * @returns the actions by type. Reading alone (`read`, `list`) is for drift detection and imports, which no
 * deploy asks for. Tags are those of the stack: the framework gives it one, and CloudFormation passes it on.
 */
export async function calledFor(types: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const where =
    "from importlib.util import find_spec as f; print(f('cfnlint').submodule_search_locations[0])";
  const { stdout } = await promisify(execFile)(await pythonBin(), ['-c', where]);
  const read = (...path: readonly string[]) =>
    JSON.parse(readFileSync(join(stdout.trim(), 'data', 'schemas', ...path), 'utf8'));
  const files: Readonly<Record<string, string>> = read('providers', 'us-east-1.json');
  return new Map(
    types.map((type) => {
      const { handlers = {}, tagging }: Schema = read('resources', `${files[type]}.json`);
      const acting = ['create', 'update', 'delete'].flatMap((kind) => handlers[kind]?.permissions ?? []);
      const tags = tagging?.taggable === true ? (tagging.permissions ?? []) : [];
      return [type, [...new Set([...acting, ...tags])].sort()];
    }),
  );
}
