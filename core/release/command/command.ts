import { withStop } from '../../text/stop.ts';
import { iso } from '../../units/time.ts';
import type { Release } from '../document/contract.ts';
import type { Commanded } from '../document/parts-contract.ts';
import { deadline } from '../phases/gating.ts';
import { pointsAt, say } from '../state/alias-target.ts';
import { QUIET_MS } from '../state/durations.ts';
import type { ReleaseFacts } from '../state/facts.ts';
import { become, next, unheld } from '../state/next.ts';
import { heldNotice, lastNumbers, notice, ways } from '../state/notices.ts';
import { commandsOf, isOpen, isPending, phaseOf, standing } from '../state/predicates.ts';
import { unfinished } from '../state/stuck.ts';
import { hold, tell } from '../state/transitions.ts';
import { type Ordered, type PersonCommand, type RollbackTarget, refuse, why } from './ordered.ts';
import { rollback } from './rollback.ts';

/** Commands that are remembered of a release. */
const KEPT_COMMANDS = 20;

/** What a command makes of the document, which remembers it. Pure. */
export function ordered(
  state: Release,
  asked: PersonCommand,
  facts: Pick<ReleaseFacts, 'alias' | 'stack'>,
  target: RollbackTarget | undefined,
  clock: number,
): Ordered {
  const now = Math.max(clock, Date.parse(state.updatedAt));
  const answer = made(state, asked, facts, target, now);
  if (answer.do === 'refuse') return answer;
  return { ...answer, next: { ...answer.next, commands: withCommand(state, asked, now) } };
}

function withCommand(
  state: Release,
  { verb, by, to, reason }: PersonCommand,
  now: number,
): readonly Commanded[] {
  const given = { ...(to !== undefined && { to }), ...(reason !== undefined && { reason }) };
  const own = { release: state.release, verb, by, at: iso(now), ...given };
  return [...commandsOf(state), own].slice(-KEPT_COMMANDS);
}

function made(
  state: Release,
  asked: PersonCommand,
  facts: Pick<ReleaseFacts, 'alias' | 'stack'>,
  target: RollbackTarget | undefined,
  now: number,
): Ordered {
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
      return resume(state, asked, facts, now);
  }
}

/** Skips the steps that remain; never gate and warming, which come before any step, nor the stack's end. */
function promote(
  state: Release,
  asked: PersonCommand,
  { stack, alias }: Pick<ReleaseFacts, 'alias' | 'stack'>,
  now: number,
): Ordered {
  const { model } = state;
  if (!isPending(state)) return refuse(`${model} has no release to promote: ${stands(state)}`);
  const phase = phaseOf(state);
  if (phase === 'GATING' || phase === 'WARMING' || state.request?.url !== undefined)
    return refuse('the deploy is not that far: its gate or its instances are not ready');
  if (state.held?.by === 'foreign' || !pointsAt(alias, standing(state) ?? null))
    return refuse(
      `the alias points to ${say(alias)}, which this release did not do: deploy again to go on from there`,
    );
  if (stack !== 'done') return refuse(unfinished(state, stack));
  const reason = why('promoted', asked);
  const to = become(
    state,
    'PROMOTING',
    {
      steps: state.steps ?? [],
      held: undefined,
      promotedBy: { by: asked.by, release: state.release },
      reason,
      ...deadline([], state.settings, now),
    },
    now,
  );
  return { do: 'write', next: to, text: `version ${state.candidate.version} is promoted` };
}

/** The weight stands; judging goes on. */
function holdByHand(state: Release, asked: PersonCommand, now: number): Ordered {
  if (state.phase === 'HELD') return refuse(`${state.model} is held already: ${state.reason}`);
  if (state.phase !== 'SHIFTING' && state.phase !== 'JUDGING' && state.phase !== 'PROMOTING')
    return refuse(`there is nothing to hold: ${stands(state)}`);
  if (state.request?.url !== undefined) return refuse('the deploy is not that far');
  const reason = why('held', asked);
  const text = heldNotice(state, reason, ways(state.model), lastNumbers(state.judgements.at(-1)), false, now);
  const to = hold(state, 'person', reason, text, now);
  return { do: 'write', next: to, text: `version ${state.candidate?.version} keeps its weight` };
}

/** On from where it was held, with all the time that its steps had. */
function resume(
  state: Release,
  asked: PersonCommand,
  { alias }: Pick<ReleaseFacts, 'alias' | 'stack'>,
  now: number,
): Ordered {
  if (state.phase !== 'HELD') return refuse(`${state.model} is not held: ${stands(state)}`);
  const { held } = state;
  const so = unheld(state);
  if (!pointsAt(alias, standing(state) ?? null))
    return refuse(
      `the alias points to ${say(alias)}, not to ${say(standing(state))}: deploy again to go on from there`,
    );
  const since = state.shifts.at(-1);
  // Its step begins anew, or its time would be over at once.
  const shifts =
    isOpen(held.from) && since !== undefined && since.weight > 0
      ? {
          shifts: [...state.shifts, { ...since, asked: iso(now), at: iso(now) }],
        }
      : {};
  const to = next(
    so,
    {
      ...shifts,
      reason: undefined,
      // The alarm that asked is on still, as a rule, and whoever resumes knows of it.
      ...(held.by === 'limit' && { quietUntil: iso(now + QUIET_MS) }),
      ...(isOpen(held.from) ? deadline((state.steps ?? []).slice(state.step ?? 0), state.settings, now) : {}),
      ...tell(
        state,
        notice(
          state,
          'the release goes on',
          [`It was ${withStop(why('resumed', asked))}`, `It was held: ${withStop(state.reason)}`],
          false,
          now,
        ),
      ),
    },
    now,
  );
  return { do: 'write', next: to, text: `the release goes on in ${held.from}` };
}

const stands = ({ phase, stable }: Release): string =>
  `the release is ${phase}${stable === undefined ? '' : `, version ${stable.version} is live`}`;
