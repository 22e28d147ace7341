import type { Aborted, Always, Own, Release, ReleaseIn, Unheld } from './contract.ts';

/**
 * What is read of the registry, as the document that it is: the one place that asks whether what a phase
 * needs is there. Nothing is refused, and no key is taken away: what an older worker left, or somebody
 * damaged, is gone on with as far as that goes. Pure.
 */

/** A document of this schema, of which nothing is certain that hangs on the phase. */
export type StoredRelease = Always & { readonly [key in keyof Own]?: Own[key] } & { readonly phase?: string };

/** `lacking`: it lacks what nobody can make up for, and is still to be given up, which people are told. */
export type AsRead = { readonly release: Release; readonly lacking?: Aborted };

type Needs<P extends Unheld['phase']> = {
  readonly [K in keyof Own as Record<never, never> extends Pick<ReleaseIn<P>, K> ? never : K]: true;
};

/** What each phase needs: the types of the contract, for what is read. */
const NEEDS: { readonly [P in Unheld['phase']]: Needs<P> } = {
  GATING: { candidate: true },
  WARMING: { candidate: true, steps: true },
  SHIFTING: { candidate: true, stable: true, steps: true, step: true },
  JUDGING: { candidate: true, stable: true, steps: true, step: true, basis: true },
  PROMOTING: { candidate: true, steps: true },
  BAKING: { stable: true, watch: true },
  REVERSING: { stable: true, watch: true, reversal: true },
  DONE: { stable: true },
  ROLLED_BACK: { stable: true },
  ABORTED: {},
  SUPERSEDED: {},
};

const isPhase = (phase: string | undefined): phase is Unheld['phase'] =>
  phase !== undefined && Object.hasOwn(NEEDS, phase);

/** The document that a stored one is. */
export function asRead(stored: StoredRelease): AsRead {
  if (stored.phase !== 'HELD') return unheld(stored);
  // Where nobody knows what it would go on from, nothing is touched, and somebody is told.
  const at = stored.updatedAt;
  const held = stored.held ?? { from: 'ABORTED', by: 'foreign', at, pagedAt: at };
  const reason = stored.reason ?? 'held';
  const { release } = unheld({ ...stored, phase: held.from });
  return {
    release: { ...release, phase: 'HELD', held: { ...held, from: release.phase }, reason } as Release,
  };
}

function unheld(stored: StoredRelease): { readonly release: Unheld; readonly lacking?: Aborted } {
  const { phase, updatedAt } = stored;
  // Whatever else there may be, nothing more happens by itself.
  if (!isPhase(phase)) return { release: { ...stored, phase: 'ABORTED' } as Aborted };
  const nothing: Pick<Own, 'steps' | 'step' | 'basis' | 'watch'> = {
    steps: [],
    step: 0,
    basis: { outputs: [] },
    watch: { since: updatedAt, until: updatedAt },
  };
  const needs = Object.keys(NEEDS[phase]) as readonly (keyof Own)[];
  const missing = needs.filter((key) => (stored[key] ?? undefined) === undefined);
  const [lost] = missing.filter((key) => !(key in nothing));
  if (lost === undefined) {
    const made = Object.entries(nothing).filter(([key]) => missing.includes(key as keyof Own));
    return { release: { ...stored, ...Object.fromEntries(made) } as Unheld };
  }
  // No last good version to be tried: the live one is watched on.
  if (lost === 'reversal') return unheld({ ...stored, phase: 'BAKING' });
  // What was over is over, and only what was on its way is still to be given up.
  if (!('candidate' in NEEDS[phase])) return { release: { ...stored, phase: 'ABORTED' } as Aborted };
  const lacking = { ...stored, phase: 'ABORTED', reason: `there is no ${lost} version` } as Aborted;
  return { release: lacking, lacking };
}
