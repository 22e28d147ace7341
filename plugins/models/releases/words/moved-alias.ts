import type { AliasState } from '../../../../core/ports/aws.ts';
import type { Release } from '../../../../core/release/document/contract.ts';
import { say } from '../../../../core/release/state/alias-target.ts';
import { isEnd, isPending, standing, weightOf } from '../../../../core/release/state/predicates.ts';
import { withoutWeights } from './aws-cli.ts';
import type { Advice, Say } from './level.ts';

/** An alias that somebody else moved, in words. Pure. */

/** Whoever had moved the alias has moved it back. Nobody judges or watches until the hold is ended. */
export function inItsPlace(own: Advice, release: Release, command: Say): Advice {
  const isWeighted = weightOf(release) > 0;
  return {
    ...own,
    level: isWeighted ? 'act' : 'look',
    summary: `Somebody had moved the alias, which is in its place again. The release is held for that still, and ${
      isWeighted ? 'nobody judges its candidate' : 'nothing goes on by itself'
    }.`,
    todo: [
      `\`${command('resume')}\` goes on from where it was.`,
      ...(isPending(release)
        ? [`\`${command('rollback')}\` takes version ${release.candidate.version} away.`]
        : []),
    ],
  };
}

/** The alias is where no release put it; nobody judges a weight that stands there. */
export function moved(
  alias: AliasState | undefined,
  release: Release,
  functionName: string,
  command: Say,
): Pick<Advice, 'level' | 'summary' | 'todo'> {
  const { phase, stable } = release;
  const isWeighted = Object.keys(alias?.weights ?? {}).length > 0;
  return {
    level: isEnd(phase) && !isWeighted ? 'look' : 'act',
    summary: `The alias points to ${say(alias)}, which no release did (${say(standing(release))} is recorded).`,
    todo: [
      'Find out who moved it.',
      ...(stable === undefined
        ? []
        : [
            isPending(release)
              ? `\`${command('rollback')}\` gives version ${stable.version} all traffic.`
              : `\`${command('rollback')} --to ${stable.version}\` puts it back.`,
          ]),
      ...(isWeighted
        ? [
            `\`${command.aws(withoutWeights(functionName))}\` takes only the weights away, without the worker.`,
          ]
        : []),
      `\`${command.sls('deploy')}\` goes on from where it is.`,
    ],
  };
}
