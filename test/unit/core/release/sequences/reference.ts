import { type Fingerprint, kindOf, MODELS, type Name, type Template } from './subject.ts';

/**
 * What a service of two models does, on a page: no worker, no document, no ticks, only what a person may rely
 * on. Each step takes what is so and returns what is so then, with what the command must say about it.
 */

export type Model = {
  /** What callers get, but for a candidate's share. */
  readonly live: Fingerprint;
  /** What is on its way, and whether somebody holds it. */
  readonly candidate?: {
    readonly is: Fingerprint;
    readonly held: boolean;
    /** Held, and its weight was taken away by a deploy that failed: nothing is there to judge. */
    readonly weightless?: true;
    /** And it had one: whoever asks for a rollback once it is gone may mean that. */
    readonly gaveUp?: true;
  };
  /** What was rolled back and has not been live since, with what it gave way to. */
  readonly refused: Readonly<Record<string, Fingerprint>>;
  /** What was live before and may come back, the latest first. */
  readonly ways: readonly Fingerprint[];
  /**
   * Where somebody else moved the alias: nothing is touched until the next deploy of the model, or a
   * rollback.
   */
  readonly moved?: Fingerprint;
  /** Is the alias gone, and nobody there to make it again before the next deploy? */
  readonly gone?: true;
  /** Is its document gone? Then nothing is known of it but what the alias says, until the next deploy. */
  readonly forgotten?: true;
  /** Did somebody else make it live? It gets its instances when no candidate needs them. */
  readonly bare?: true;
  /**
   * Did something give its traffic up to what is live, and nothing else got any since? Soon after it a
   * rollback would go further back than anybody means.
   */
  readonly rolledBack: boolean;
};
export type State = Readonly<Record<Name, Model>>;

export const first = (is: Fingerprint): Model => ({
  live: is,
  refused: {},
  ways: [],
  rolledBack: false,
});

const without = (refused: Model['refused'], is: Fingerprint): Model['refused'] =>
  Object.fromEntries(Object.entries(refused).filter(([one]) => one !== is));

const promoted = (model: Model, is: Fingerprint): Model => ({
  live: is,
  refused: without(model.refused, is),
  ways: [model.live, ...model.ways].filter((one) => one !== is),
  rolledBack: false,
});

const withdrawn = ({ candidate, ...model }: Model): Model =>
  candidate === undefined
    ? model
    : { ...model, refused: { ...model.refused, [candidate.is]: model.live }, rolledBack: true };

export type Outcome = 'live' | 'on its way' | 'refused' | 'none';

export function outcomeOf({ live, candidate, refused, ...model }: Model, offer: Fingerprint): Outcome {
  if (model.forgotten) return 'none';
  if (model.moved === undefined && !model.gone && live === offer) return 'live';
  if (candidate?.is === offer) return 'on its way';
  // What has all traffic is not refused, whoever gave it: it is asked for again, and so it is recorded.
  return offer in refused && model.moved !== offer ? 'refused' : 'none';
}

/**
 * `sls deploy`.
 *
 * @param asked the models for which CloudFormation asks: what changed, what is forced, and what is neither
 * live nor on its way
 *   where the framework would have skipped all
 * @param weighted the models whose candidate has traffic
 * @param unmarked the models for which CloudFormation asks only because a mark goes: nothing changes, but
 * somebody looks at them
 */
export function deployed(
  state: State,
  offers: Template,
  asked: readonly Name[],
  {
    isForced,
    isBroken,
    unmarked,
    weighted,
  }: {
    readonly isForced: boolean;
    readonly isBroken: boolean;
    readonly unmarked: readonly Name[];
    readonly weighted: readonly Name[];
  },
): { readonly state: State; readonly isGood: boolean } {
  const next: Record<Name, Model> = { ...state };
  const looked: Partial<Record<Name, Model>> = {};
  for (const name of MODELS) {
    if (unmarked.includes(name)) looked[name] = next[name] = ticked(state[name]);
    if (!asked.includes(name)) continue;
    const [model, offer] = [state[name], offers[name]];
    const so = goingOn(model);
    const isLive = so.live === offer;
    if (!isLive && so.candidate?.is === offer) continue;
    const isRefused = !isForced && offer in model.refused && !isLive;
    const isFailing = kindOf(offer) === 'gate' && !isLive;
    if (isRefused || isFailing) {
      // What is refused is not followed at all; the stack’s rollback has it looked at.
      if (isRefused) looked[name] = ticked(model);
      const followed = asked.slice(0, asked.indexOf(name) + (isRefused ? 0 : 1));
      return { state: { ...state, ...looked, ...taken(state, offers, followed, weighted) }, isGood: false };
    }
    const { candidate: _, ...rest } = so;
    next[name] = isLive
      ? {
          ...rest,
          rolledBack: rest.rolledBack || weighted.includes(name) || so.candidate?.gaveUp === true,
          refused: without(rest.refused, offer),
        }
      : { ...rest, candidate: { is: offer, held: false }, rolledBack: false };
  }
  if (isBroken)
    return { state: { ...state, ...looked, ...taken(state, offers, asked, weighted) }, isGood: false };
  return { state: next, isGood: true };
}

/** The stack rolls back: what was asked for is as it was, and what somebody else made live is live. */
function taken(
  state: State,
  offers: Template,
  asked: readonly Name[],
  weighted: readonly Name[],
): Partial<State> {
  return Object.fromEntries(
    asked.map((name) => {
      const so = anew(goingOn(state[name]), offers[name], weighted.includes(name));
      // Asked for while it is live, by whoever: that is no refused version any more.
      const isLive = so.live === offers[name];
      return [name, isLive ? { ...so, refused: without(so.refused, so.live) } : so];
    }),
  );
}

/** What another one took the place of begins at its first step; what was held is held, without weight. */
const anew = (model: Model, offer: Fingerprint, isWeighted: boolean): Model =>
  model.candidate?.held && model.candidate.is !== offer
    ? {
        ...model,
        candidate: { ...model.candidate, weightless: true, ...(isWeighted && { gaveUp: true }) },
      }
    : model;

/** Whoever ticks a model makes an alias that is gone again. */
export function ticked({ gone: _, ...model }: Model): Model {
  return model;
}

/** A deploy goes on from where the alias is. */
function goingOn({ moved, gone: _, forgotten: __, ...model }: Model): Model {
  if (moved === undefined) return model;
  return {
    ...model,
    bare: true,
    rolledBack: false,
    live: moved,
    ways: [model.live, ...model.ways].filter((one) => one !== moved),
  };
}

/** Traffic for long enough that every canary is decided. */
export function judged(model: Model): Model {
  const { candidate, ...rest } = model;
  if (candidate === undefined || candidate.weightless) return model;
  // A version is as good as the one that it is compared with.
  if (kindOf(candidate.is) === 'bad' && kindOf(model.live) !== 'bad') return withdrawn(model);
  return candidate.held ? model : promoted(rest, candidate.is);
}

/**
 * @param isSoon minutes after the last rollback: a second one is taken for the first, asked again
 * @returns undefined where the command is refused
 */
export function commanded(
  model: Model,
  verb: 'promote' | 'rollback' | 'hold' | 'resume',
  to: Fingerprint | undefined,
  isSoon: boolean,
): Model | undefined {
  const { candidate, ...rest } = model;
  if (model.forgotten) return undefined;
  switch (verb) {
    case 'promote':
      return candidate === undefined ? undefined : promoted(rest, candidate.is);
    case 'hold':
      return candidate === undefined || candidate.held
        ? undefined
        : { ...rest, candidate: { ...candidate, held: true } };
    case 'resume':
      return candidate?.held && !model.moved
        ? {
            ...rest,
            candidate: { is: candidate.is, held: false, ...(candidate.gaveUp && { gaveUp: true }) },
          }
        : undefined;
    case 'rollback': {
      if (candidate !== undefined && (to === undefined || to === model.live)) return withdrawn(model);
      if (candidate !== undefined && to === candidate.is) return undefined;
      const { moved, ...own } = rest;
      // The alias goes back to where the last release left it.
      if (moved !== undefined && (to === undefined || to === model.live)) return { ...own, rolledBack: true };
      if (to === undefined && model.rolledBack && isSoon) return undefined;
      const back = to ?? model.ways.find((one) => !(one in model.refused) && one !== model.live);
      if (back === undefined || back === model.live) return undefined;
      const gone = candidate === undefined ? {} : { [candidate.is]: back };
      // Going back to what was rolled back from undoes that.
      const isUndone = model.refused[back] === model.live;
      const refused = { ...without(model.refused, back), ...gone, ...(!isUndone && { [model.live]: back }) };
      const ways = isUndone ? [model.live, ...model.ways] : model.ways;
      return {
        ...own,
        live: back,
        refused,
        ways: ways.filter((one) => one !== back),
        rolledBack: !isUndone,
      };
    }
  }
}

/**
 * Somebody deleted the alias, and where it was moved with it; whoever still ticks makes it again, and what
 * was on its way begins its step from nothing.
 */
export function aliasLost(model: Model, isBack: boolean): Model {
  const { moved: _, ...own } = model;
  if (!isBack) return { ...own, gone: true };
  return own.candidate?.held ? { ...own, candidate: { ...own.candidate, weightless: true } } : own;
}

/**
 * Somebody deleted the document: all that the registry knew of the model is lost, and what had a weight has
 * none.
 */
export const documentLost = ({ live, moved }: Model): Model => ({
  ...first(moved ?? live),
  forgotten: true,
  bare: true,
});
