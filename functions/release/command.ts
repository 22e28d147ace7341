import type { CommandEvent } from './contract.ts';
import type { Release, VersionRef } from './document/contract.ts';
import type { Facts } from './facts.ts';
import type { VersionRecord } from './history/contract.ts';
import { heldNotice, notice, numbers, ways } from './notices.ts';
import { deadline } from './phases/gating.ts';
import { addRefusal, revert, rollBack } from './phases/rollback.ts';
import { hold, intend, isOpen, isPending, lastGood, next, standing, tell } from './steps.ts';
import { unfinished } from './stuck.ts';
import { points, say, whole } from './target.ts';

/** What a person asks. `target`: the version that a rollback names, as the registry and Lambda know it. */
export type Asked = CommandEvent['command'];
export type Target = { readonly record: VersionRecord | undefined; readonly published: boolean };

export type Ordered =
  | { readonly do: 'write'; readonly next: Release; readonly text: string }
  | { readonly do: 'refuse'; readonly reason: string };

const refuse = (reason: string): Ordered => ({ do: 'refuse', reason });

/** What a command makes of the document. Pure. */
export function ordered(
  state: Release,
  asked: Asked,
  facts: Pick<Facts, 'alias' | 'stack'>,
  target: Target | undefined,
  clock: number,
): Ordered {
  const now = Math.max(clock, Date.parse(state.updatedAt));
  if (state.intent !== undefined && asked.verb !== 'rollback')
    return refuse('the alias is being moved at this moment: try again');
  switch (asked.verb) {
    case 'promote':
      return promote(state, asked, facts, now);
    case 'rollback':
      return rollback(state, asked, facts, target, now);
    case 'hold':
      return holdByHand(state, asked, now);
    case 'resume':
      return resume(state, facts, now);
  }
}

const why = (what: string, { by, reason }: Asked): string =>
  `${what} by ${by}${reason === undefined ? '' : `: ${reason}`}`;

/** Skips the steps that remain; never gate and warming, which come before any step, nor the stack's end. */
function promote(
  state: Release,
  asked: Asked,
  { stack, alias }: Pick<Facts, 'alias' | 'stack'>,
  now: number,
): Ordered {
  const { candidate, model } = state;
  if (!isPending(state) || candidate === undefined)
    return refuse(`${model} has no release to promote: ${stands(state)}`);
  if (state.phase === 'GATING' || state.phase === 'WARMING' || state.request?.url !== undefined)
    return refuse('the deploy is not that far: its gate or its instances are not ready');
  if (state.held?.by === 'foreign' || !points(alias, standing(state) ?? null))
    return refuse(
      `the alias points to ${say(alias)}, which this release did not do: deploy again to go on from there`,
    );
  if (stack !== 'done') return refuse(unfinished(stack));
  const reason = why('promoted', asked);
  const to = next(
    state,
    {
      phase: 'PROMOTING',
      held: undefined,
      promotedBy: { by: asked.by, release: state.release },
      reason,
      ...deadline([], state.settings, now),
    },
    now,
  );
  return { do: 'write', next: to, text: `version ${candidate.version} is promoted` };
}

function rollback(
  state: Release,
  asked: Asked,
  { alias }: Pick<Facts, 'alias' | 'stack'>,
  target: Target | undefined,
  now: number,
): Ordered {
  const { candidate, stable, model } = state;
  // What it is a reason of says already that something was rolled back.
  const reason = why('asked for', asked);
  if (
    isPending(state) &&
    candidate !== undefined &&
    (asked.to === undefined || asked.to === stable?.version)
  ) {
    if (stable === undefined) return refuse('there is no version to go back to');
    const to = rollBack(state, reason, state.judgements.at(-1), now);
    return {
      do: 'write',
      next: to,
      text: `version ${candidate.version} is withdrawn, version ${stable.version} has all traffic`,
    };
  }
  if (isPending(state) && candidate !== undefined && asked.to === candidate.version)
    return refuse(
      `version ${candidate.version} is the one that is being released: "sls models promote --model ${model}" skips its steps`,
    );
  // Who asks again, because the first answer was lost, means the same; and the one before may be good.
  if (state.phase === 'ROLLED_BACK' && state.returnedAt === undefined && asked.to === undefined)
    return refuse(
      `version ${candidate?.version} was rolled back already, version ${stable?.version} is live: to go further back, name one with --to`,
    );
  const to = asked.to === undefined ? lastGood(state) : named(state, asked.to, target);
  if (to === undefined) {
    return refuse(
      asked.to === undefined
        ? `${model} has no earlier version that behaves otherwise and was not rolled back: name one with --to`
        : `version ${asked.to} of ${model} is not known, or no longer published`,
    );
  }
  if (to.version === stable?.version && !isPending(state)) {
    if (state.phase === 'REVERSING' || points(alias, whole(to.version)))
      return refuse(`version ${to.version} is live already`);
    return takenBack(state, to.version, alias, why('rolled back', asked), now);
  }
  // Further back than the stable version: what is being released goes, too.
  const gone = isPending(state) && candidate !== undefined ? candidate : undefined;
  const from = gone === undefined ? state : { ...state, refused: addRefusal(state, gone, reason, now, to) };
  const besides = gone === undefined ? '' : `version ${gone.version} is withdrawn, and `;
  return {
    do: 'write',
    next: revert(from, to, `${besides}${reason}`, undefined, false, now),
    text: `${besides}version ${stable?.version} gives way to version ${to.version}`,
  };
}

/** Somebody moved the alias when nothing was released: back to the version that is recorded as live. Nothing is refused for that. */
function takenBack(
  state: Release,
  version: string,
  alias: Facts['alias'],
  reason: string,
  now: number,
): Ordered {
  const then = state.held?.from ?? state.phase;
  const to = next(
    state,
    { phase: then, held: undefined, reason, intent: intend(state, whole(version), then, now) },
    now,
  );
  return {
    do: 'write',
    next: to,
    text: `the alias pointed to ${say(alias)}; version ${version} has all traffic again`,
  };
}

/** A version that a person names may be one that was rolled back: they know why. */
function named(state: Release, version: string, target: Target | undefined): VersionRef | undefined {
  const known = [state.stable, ...state.lives].find((ref) => ref?.version === version);
  if (target?.published !== true) return undefined;
  if (known !== undefined) return known;
  const { record } = target;
  return record?.functionName === state.functionName
    ? {
        version,
        fingerprint: record.fingerprint,
        ...(record.source !== '' && { source: record.source }),
      }
    : undefined;
}

/** The weight stands; judging goes on. */
function holdByHand(state: Release, asked: Asked, now: number): Ordered {
  if (state.phase === 'HELD') return refuse(`${state.model} is held already: ${state.reason ?? ''}`);
  if (state.phase !== 'SHIFTING' && state.phase !== 'JUDGING' && state.phase !== 'PROMOTING')
    return refuse(`there is nothing to hold: ${stands(state)}`);
  if (state.request?.url !== undefined) return refuse('the deploy is not that far');
  const reason = why('held', asked);
  const text = heldNotice(state, reason, ways(state.model), numbers(state.judgements.at(-1)), false, now);
  const to = hold(state, 'person', reason, text, now);
  return { do: 'write', next: to, text: `version ${state.candidate?.version} keeps its weight` };
}

/** On from where it was held, with all the time that its steps had. */
function resume(state: Release, { alias }: Pick<Facts, 'alias' | 'stack'>, now: number): Ordered {
  const { held } = state;
  if (held === undefined || state.phase !== 'HELD')
    return refuse(`${state.model} is not held: ${stands(state)}`);
  const so = { ...state, phase: held.from };
  if (!points(alias, standing(state) ?? null))
    return refuse(
      `the alias points to ${say(alias)}, not to ${say(standing(state))}: deploy again to go on from there`,
    );
  const since = state.shifts.at(-1);
  // Its step begins anew, or its time would be over at once.
  const shifts =
    isOpen(held.from) && since !== undefined && since.weight > 0
      ? {
          shifts: [
            ...state.shifts,
            { ...since, asked: new Date(now).toISOString(), at: new Date(now).toISOString() },
          ],
        }
      : {};
  const to = next(
    so,
    {
      ...shifts,
      held: undefined,
      reason: undefined,
      ...(isOpen(held.from) ? deadline((state.steps ?? []).slice(state.step ?? 0), state.settings, now) : {}),
      ...tell(state, notice(state, 'the release goes on', [`It was held: ${state.reason}.`], false, now)),
    },
    now,
  );
  return { do: 'write', next: to, text: `the release goes on in ${held.from}` };
}

const stands = ({ phase, stable }: Release): string =>
  `the release is ${phase}${stable === undefined ? '' : `, version ${stable.version} is live`}`;
