import type { AliasState } from '../../../../core/ports/aws.ts';
import type { Release } from '../../../../core/release/document/contract.ts';
import { isOurs } from '../../../../core/release/state/alias-target.ts';
import type { Problem } from '../../problems/errors.ts';
import { type Advice, type Say, worse } from '../words/level.ts';
import { moment } from '../words/time.ts';
import type { Carried } from './permissions.ts';

/** What an alias lacks that somebody deleted, in words, with the way back. Pure. */

/** `unreadable`: it could not be read what hangs on the alias, or what of it is there. */
export type Lacks = { readonly missing: readonly Carried[] } | { readonly unreadable: string };

export type Suspect = Pick<Release, 'model' | 'functionName' | 'alias' | 'remade'>;

/**
 * Does somebody have to look? Only where the alias is gone, or was, or where somebody else made it: to look
 * costs calls and permissions. A move by others leaves the worker's description on it.
 */
export const isSuspect = (
  release: Pick<Release, 'remade' | 'stable'>,
  alias: AliasState | undefined,
): boolean =>
  release.remade !== undefined || (alias === undefined ? release.stable !== undefined : !isOurs(alias));

/** `own`, and what is missing beside it. @param alias undefined: it is gone still */
export function withLacks(
  own: Advice,
  lacks: Lacks,
  { release, alias }: { readonly release: Release; readonly alias?: AliasState | undefined },
  now: number,
  command: Say,
): Advice {
  if ('unreadable' in lacks)
    return {
      ...own,
      level: worse(own.level, 'look'),
      summary: `${own.summary} ${unchecked(lacks.unreadable)}`,
      todo: [...own.todo, check(command.aws(policyOf(release)))],
    };
  const { missing } = lacks;
  if (missing.length === 0) return own;
  if (alias === undefined) {
    const names = missing.map(({ logicalId }) => logicalId).join(', ');
    const then = `Then ${counted(missing)} will be missing, since they went with it (${names}): \`${command('status')}\` gives the commands once the alias is there.`;
    return { ...own, todo: [...own.todo, then] };
  }
  return {
    ...own,
    level: worse(own.level, isFelt(missing) ? 'act' : 'look'),
    summary: `${lacking(missing, release, now)}. ${own.summary}`,
    todo: [...waysBack(missing, release), ...own.todo],
  };
}

/**
 * The same at the end of a deploy.
 *
 * @returns undefined where nothing is missing; a line where that could not be checked
 */
export function lacksProblem(
  lacks: Lacks,
  release: Suspect,
  { stage, region, now }: { readonly stage: string; readonly region: string; readonly now: number },
): Problem | string | undefined {
  if ('unreadable' in lacks)
    return `${release.model}: ${unchecked(lacks.unreadable)} ${check(`aws ${policyOf(release)} --region ${region}`)}`;
  if (lacks.missing.length === 0) return undefined;
  return {
    code: 'MODELS_ALIAS_PERMISSIONS',
    key: `models.${release.model}`,
    message: `${lacking(lacks.missing, release, now)}.`,
    fix: [
      ...waysBack(lacks.missing, release),
      `Then \`sls models status --model ${release.model} --stage ${stage}\` finds nothing missing.`,
    ].join('\n'),
  };
}

/** Settings of asynchronous calls turn nobody away. */
const isFelt = (missing: readonly Carried[]): boolean => missing.some(({ kind }) => kind !== 'invoke');

function lacking(missing: readonly Carried[], { remade }: Suspect, now: number): string {
  const since = remade === undefined ? '' : `, since it was deleted and made again ${moment(remade.at, now)}`;
  const one = missing.length === 1 && missing[0]?.kind !== 'invoke';
  const what = `${counted(missing)} of the alias ${one ? 'is' : 'are'} missing${since}`;
  return isFelt(missing) ? `Callers get errors: ${what}` : `${what.charAt(0).toUpperCase()}${what.slice(1)}`;
}

/** `2 permissions, the function URL and the settings of asynchronous calls`. */
function counted(missing: readonly Carried[]): string {
  const permissions = missing.filter(({ kind }) => kind === 'permission').length;
  const parts = [
    ...(permissions > 0 ? [`${permissions} permission${permissions === 1 ? '' : 's'}`] : []),
    ...(missing.some(({ kind }) => kind === 'url') ? ['the function URL'] : []),
    ...(missing.some(({ kind }) => kind === 'invoke') ? ['the settings of asynchronous calls'] : []),
  ];
  const last = parts.pop() ?? 'nothing';
  return parts.length === 0 ? last : `${parts.join(', ')} and ${last}`;
}

/** Sentences, and commands on lines of their own, to be copied. */
function waysBack(missing: readonly Carried[], { functionName, alias }: Suspect): readonly string[] {
  const commands = (kind: Carried['kind']): readonly string[] =>
    missing.flatMap((one) => (one.kind === kind && 'command' in one ? [one.command] : []));
  const [permissions, urls, settings] = [commands('permission'), commands('url'), commands('invoke')];
  return [
    ...(permissions.length === 0 ? [] : ['Add what is missing with the AWS CLI:', ...permissions]),
    ...(urls.length === 0
      ? []
      : ['The function URL will have another address, which callers must learn:', ...urls]),
    ...(settings.length === 0 ? [] : ['Restore the settings of asynchronous calls:', ...settings]),
    ...missing.flatMap((one) =>
      'unresolved' in one
        ? [
            `${one.logicalId} needs a command that cannot be written here, since ${one.unresolved}. See its properties in the stack’s template, and add it to ${functionName}:${alias}${one.statement === undefined ? '' : ` with the statement id ${one.statement}`}.`,
          ]
        : [],
    ),
  ];
}

const unchecked = (why: string): string =>
  `The alias was deleted or made again, and whether its permissions are there cannot be checked: ${why.replace(/\.$/, '')}.`;

const policyOf = ({ functionName, alias }: Suspect): string =>
  `lambda get-policy --function-name ${functionName} --qualifier ${alias}`;

/** @param command that shows what is allowed on the alias */
const check = (command: string): string =>
  `Check that each AWS::Lambda::Permission of the template is in \`${command}\`, or ask for the actions of the statement DeletedAlias in docs/deploy-policy.md.`;
