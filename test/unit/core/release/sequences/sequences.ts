import fc from 'fast-check';
import { expect } from './expect.ts';
import {
  aliasLost,
  commanded,
  deployed,
  documentLost,
  first,
  judged,
  outcomeOf,
  type State,
  ticked,
} from './reference.ts';
import {
  type Fingerprint,
  type KilledAt,
  type Kind,
  MODELS,
  type Name,
  type Subject,
  type Template,
} from './subject.ts';

/**
 * What happens to a service, step by step; after each quiet end everything that can be asked must agree with
 * the reference.
 */

type Change = Kind | 'same' | 'earlier' | 'live' | 'refused';
const change = fc.constantFrom<Change>(
  'same',
  'same',
  'good',
  'good',
  'bad',
  'gate',
  'earlier',
  'live',
  'refused',
);
const model = fc.constantFrom(...MODELS);

export const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('deploy' as const),
      a: change,
      b: change,
      isForced: fc.constantFrom(false, false, false, true),
      waits: fc.constantFrom(false, false, true),
      isBroken: fc.constantFrom(false, false, false, false, true),
      killed: fc.constantFrom<KilledAt | undefined>(
        undefined,
        undefined,
        undefined,
        undefined,
        'before the upload',
        'after the upload',
        'in the operation',
      ),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('traffic' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('a minute' as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('command' as const),
      model,
      verb: fc.constantFrom('promote' as const, 'rollback' as const, 'hold' as const, 'resume' as const),
      to: fc.option(fc.nat({ max: 3 }), { freq: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('move alias' as const), model, to: fc.nat({ max: 5 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('lose alias' as const, 'lose schedule' as const, 'lose document' as const),
      model,
    }),
  },
);
export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Minutes in which every canary is decided: two steps of two minutes, and their numbers. */
const DECIDED = 20;
/** What is only watched is ticked every ten minutes; the sweep comes every fifteen. */
const UNTIL_TICKED = 11;
const UNTIL_SWEPT = 16;
const MINUTE = 60_000;
/** Milliseconds after a rollback in which a second one is taken for the first, asked again. */
const SOON = 30 * MINUTE;

/** @throws Error where something disagrees with the reference */
export async function play(service: Subject, steps: readonly Step[]): Promise<void> {
  let count = 0;
  const made = (kind: Kind): Fingerprint => {
    count += 1;
    return `${kind}-${count}`;
  };
  let folder: Template = { a: made('good'), b: made('good') };
  let stack = folder;
  let uploaded = JSON.stringify([folder, false]);
  /** Was the stack's last update rolled back? */
  let isRolledBack = false;
  /** The models whose request in the stack bears a mark, of --force or of what was asked anew. */
  let marked: readonly Name[] = [];
  /** When a person had the alias put back, or a deploy of what is live took a candidate's traffic away. */
  const undone = { a: 0, b: 0 };
  let state: State = { a: first(folder.a), b: first(folder.b) };
  expect(await service.deploy(folder)).toMatchObject({ code: 0 });
  await agrees(service, state, 'the first deploy');

  for (const now of steps) {
    switch (now.do) {
      case 'traffic':
        await service.minutes(DECIDED, true);
        state = { a: judged(state.a), b: judged(state.b) };
        break;
      case 'a minute':
        await service.minutes(1, false);
        break;
      case 'lose alias': {
        if (state[now.model].gone || state[now.model].forgotten) break;
        await service.loseAlias(now.model);
        await service.minutes(UNTIL_TICKED, false);
        const isBack = (await service.traffic(now.model)) !== undefined;
        if (state[now.model].candidate !== undefined) expect(isBack, 'what runs is ticked').toBe(true);
        state = { ...state, [now.model]: aliasLost(state[now.model], isBack) };
        break;
      }
      case 'lose schedule':
        await service.loseSchedules(now.model);
        await service.minutes(UNTIL_SWEPT, false);
        break;
      case 'lose document':
        if (state[now.model].gone || state[now.model].forgotten) break;
        await service.loseDocument(now.model);
        await service.minutes(UNTIL_TICKED, false);
        state = { ...state, [now.model]: documentLost(state[now.model]) };
        break;
      case 'command': {
        const { model: name, verb } = now;
        if (state[name].gone) break;
        const known = [state[name].live, ...state[name].ways, ...Object.keys(state[name].refused)];
        const to =
          now.to === null || verb !== 'rollback' ? undefined : (known[now.to % known.length] as Fingerprint);
        const version = to === undefined ? undefined : await versionOf(service, name, to);
        if (to !== undefined && version === undefined) break;
        const ago = await sinceRollback(service, name, undone[name]);
        // Close to the limit nobody can tell on which side of it the command arrives.
        if (Math.abs(ago - SOON) < 3 * MINUTE && verb === 'rollback' && to === undefined) break;
        const next = commanded(state[name], verb, to, ago < SOON);
        const done = await service.command(name, verb, version);
        expect(done, `${verb} ${to ?? ''} of ${name}`).toBe(next !== undefined);
        if (next === undefined) break;
        if (verb === 'rollback' && state[name].moved !== undefined) undone[name] = service.now();
        state = { ...state, [name]: next };
        break;
      }
      case 'move alias': {
        const published = await service.published(now.model);
        const version = published[now.to % published.length] ?? '1';
        const to = await service.contentOf(now.model, version);
        const { candidate, live, gone, forgotten } = state[now.model];
        if (to === undefined || candidate !== undefined || to === live || gone || forgotten) break;
        await service.moveAlias(now.model, version);
        await service.minutes(1, false);
        state = { ...state, [now.model]: { ...state[now.model], moved: to } };
        break;
      }
      case 'deploy': {
        folder = {
          a: changed(state.a, stack.a, folder.a, now.a),
          b: changed(state.b, stack.b, folder.b, now.b),
        };
        const compiled = JSON.stringify([folder, now.isBroken]);
        const isMarked = MODELS.some((name) => state[name].forgotten);
        const isSkipped = !now.isForced && !isMarked && compiled === uploaded;
        const marks = MODELS.filter(
          (name) =>
            now.isForced ||
            state[name].forgotten === true ||
            // CloudFormation would not ask.
            ((isSkipped || folder[name] === stack[name]) && isMissing(state[name], folder[name])),
        );
        const asked = MODELS.filter((name) => folder[name] !== stack[name] || marks.includes(name));
        const unmarked = marked.filter((name) => !asked.includes(name));
        // The framework knows what it uploaded, not that the stack then rolled back. What is refused ends the
        // command with an error anyway.
        const isRefused = MODELS.some((name) => outcomeOf(state[name], folder[name]) === 'refused');
        const skips = isSkipped && marks.length === 0 && (isRefused || !isRolledBack);
        const weighted: Name[] = [];
        for (const name of MODELS)
          if (Object.keys((await service.traffic(name)) ?? {}).length > 1) weighted.push(name);
        const begun = service.now();
        const ended = await service.deploy(folder, {
          force: now.isForced,
          wait: now.waits,
          isBroken: now.isBroken,
          ...(now.killed && { killed: now.killed }),
        });
        if (now.killed === 'before the upload') break;
        const isKilled = now.killed === 'after the upload' && !skips;
        // A mark is in the uploaded template, and not in the next one; and what was uploaded but not deployed
        // is never skipped.
        if (!skips) uploaded = marks.length > 0 || isKilled ? '' : compiled;
        if (isKilled) break;
        const result = skips
          ? { state, isGood: true }
          : deployed(state, folder, asked, { ...now, unmarked, weighted });
        state = result.state;
        for (const name of weighted) {
          const { candidate, rolledBack } = state[name];
          if (candidate === undefined ? rolledBack : candidate.gaveUp) undone[name] = begun;
        }
        if (!skips && !result.isGood) isRolledBack = true;
        if (!skips && result.isGood) {
          // Without a change CloudFormation leaves the status.
          if (asked.length > 0 || unmarked.length > 0) isRolledBack = false;
          [stack, marked] = [folder, marks];
        }
        if (now.killed !== undefined && ended === undefined) break;
        if (skips || result.isGood) state = { a: ticked(state.a), b: ticked(state.b) };
        if (result.isGood && now.waits)
          for (const name of MODELS) {
            const { candidate } = state[name];
            if (candidate?.is === folder[name] && !candidate.held)
              state = { ...state, [name]: judged(state[name]) };
          }
        const outcomes = MODELS.map((name) => outcomeOf(state[name], folder[name]));
        const isHeld = MODELS.some((name) => state[name].candidate?.is === folder[name]);
        const isGood =
          result.isGood &&
          outcomes.every((one) => one === 'live' || one === 'on its way') &&
          !(now.waits && isHeld);
        expect(ended?.code, `${outcomes.join()}: ${ended?.output}`).toBe(isGood ? 0 : 1);
        if (ended?.code === 0) expect(ended.output).not.toContain('--force');
        if (!now.waits) break;
        // What was not waited for had some of that time.
        await service.minutes(DECIDED, true);
        state = { a: judged(state.a), b: judged(state.b) };
        break;
      }
    }
    await agrees(service, state, JSON.stringify(now));
  }
}

/** Must a deploy be made, although nothing has changed since the last upload? */
const isMissing = (so: State['a'], offer: Fingerprint): boolean =>
  outcomeOf(so, offer) === 'none' || (so.candidate !== undefined && so.candidate.is !== offer);

/** Milliseconds. */
async function sinceRollback(service: Subject, name: Name, undone: number): Promise<number> {
  const { refused = [] } = (await service.document(name)) ?? {};
  return service.now() - Math.max(undone, ...refused.map(({ at }) => Date.parse(at)));
}

async function versionOf(service: Subject, name: Name, is: Fingerprint): Promise<string | undefined> {
  for (const version of (await service.published(name)).toReversed())
    if ((await service.contentOf(name, version)) === is) return version;
  return undefined;
}

/** The artifact that the folder has next. */
function changed(
  { live, ways, refused }: State['a'],
  template: Fingerprint,
  folder: Fingerprint,
  to: Change,
): Fingerprint {
  switch (to) {
    case 'same':
      return folder;
    case 'earlier':
      return ways[0] ?? live;
    case 'live':
      return live;
    case 'refused':
      return (Object.keys(refused).at(-1) as Fingerprint | undefined) ?? template;
    default:
      counted += 1;
      return `${to}-${counted + 1000}`;
  }
}
let counted = 0;

async function agrees(service: Subject, state: State, after: string): Promise<void> {
  // A quiet end: schedules of releases that are over end themselves.
  await service.quiet(async () => {
    for (const name of MODELS) await agreesOf(service, name, state[name], after);
  });
}

async function agreesOf(service: Subject, name: Name, so: State['a'], after: string): Promise<void> {
  const at = `${name} after ${after}`;
  const traffic = (await service.traffic(name)) ?? {};
  const document = await service.document(name);
  if (so.gone) {
    expect(await service.traffic(name), `${at}: the alias`).toBeUndefined();
    const { level, summary } = await service.status(name);
    expect(level, `${at}: ${summary}`).toBe('act');
    return;
  }
  const shares = Object.entries(traffic);
  const live = so.moved ?? so.live;
  const allowed = [live, ...(so.candidate === undefined ? [] : [so.candidate.is])];
  for (const [one] of shares) expect(allowed, `${at}: who has traffic`).toContain(one);
  expect(traffic[live] ?? 0, `${at}: what is live`).toBeGreaterThanOrEqual(50);
  if (so.moved !== undefined) {
    const { level, summary } = await service.status(name);
    expect(level, `${at}: ${summary}`).not.toBe('ok');
    return;
  }
  if (so.forgotten) {
    expect(traffic, `${at}: no weight without a document`).toEqual({ [so.live]: 100 });
    const { level, summary } = await service.status(name);
    expect(level, `${at}: ${summary}`).not.toBe('ok');
    return;
  }
  expect(document?.stable?.fingerprint, `${at}: stable`).toBe(so.live);
  const running = so.candidate !== undefined;
  expect(
    document?.candidate !== undefined &&
      ['SHIFTING', 'JUDGING', 'PROMOTING', 'HELD', 'WARMING'].includes(document.phase),
    `${at}: on its way (${document?.phase}: ${document?.reason})`,
  ).toBe(running);
  if (running) expect(document?.candidate?.fingerprint, `${at}: the candidate`).toBe(so.candidate?.is);
  else expect(shares, `${at}: no weight without a release`).toHaveLength(1);
  expect(document?.phase === 'HELD', `${at}: held`).toBe(so.candidate?.held === true);
  expect(
    [...new Set(document?.refused.map(({ fingerprint }) => fingerprint))].sort(),
    `${at}: refused`,
  ).toEqual(Object.keys(so.refused).sort());
  if (running) expect(await service.schedules(name), `${at}: somebody ticks it`).toBe(1);
  for (const one of await service.held(name)) expect(allowed, `${at}: who holds instances`).toContain(one);
  if (!(so.bare && running))
    expect(await service.held(name), `${at}: the live version holds instances`).toContain(so.live);
  const status = await service.status(name);
  if (status.level === 'ok') expect(status.traffic.length === 1 || running, `${at}: status`).toBe(true);
}
