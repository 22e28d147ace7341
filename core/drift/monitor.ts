import { messageOf } from '../errors/aws-errors.ts';
import { metricLine } from '../metrics/line.ts';
import { type Baseline, DRIFT_METRICS, type DriftWindow, MONITOR_EVERY, type Watched } from './contract.ts';
import type { Damaged } from './documents.ts';
import { type BaselineRows, gatherRows, MARGIN } from './gather.ts';
import { countedOf, driftNotice, newlyCounted } from './notice.ts';
import type { DriftWorld } from './ports.ts';
import { strongest } from './strength.ts';
import { wordsOf } from './text.ts';
import { judgeSignals } from './window-judge.ts';
import { completeWindows, dueWindows, isGap, reachOf, type Span, windowBefore } from './windows.ts';

/**
 * Judges every window that is complete and has no document yet: publishes, tells, then writes. A run that
 * ends between the two, or beside another one, publishes the same again, and nothing is added up of what the
 * monitor publishes. What fails is told, counted, and tried again in the next run.
 */
export async function monitor(world: DriftWorld, watched: readonly Watched[]): Promise<void> {
  // Each is first in its turn: one with a log that takes all the time does not starve the others for good.
  const turn = Math.floor(world.clock() / (MONITOR_EVERY * 1000)) % Math.max(1, watched.length);
  for (const one of [...watched.slice(turn), ...watched.slice(0, turn)]) {
    const fail = failing(world, one);
    try {
      await watch(world, one, fail);
    } catch (error) {
      fail('its documents cannot be read', { reason: messageOf(error) });
    }
  }
}

async function watch(world: DriftWorld, watched: Watched, fail: Fail): Promise<void> {
  const { documents, log } = world;
  const { model } = watched;
  const damaged = telling(fail);
  const { complete, kept } = await lookedAt(world, watched, damaged);
  const history = isGap(complete, kept) ? await documents.history(model, damaged) : undefined;
  const { windows, missed } = dueWindows(complete, kept, history);
  if (missed !== undefined)
    log('warn', `${model}: what was between is too long ago to be judged now.`, span(missed));
  for (const [index, window] of windows.entries()) {
    let became: Became = 'left';
    try {
      if (world.left() >= MARGIN) became = await judgeWindow(world, watched, window, fail);
    } catch (error) {
      became = 'waiting';
      fail('a window could not be judged', { reason: messageOf(error), ...span(window) });
    }
    const rest = windows.length - index;
    if (became === 'left')
      log(
        'warn',
        `${model}: ${rest} window${rest === 1 ? ' is' : 's are'} left for the next run.`,
        span(window),
      );
    // What counts is two windows in a row: those after it wait until it is judged, or too long ago.
    if (became !== 'done') return;
  }
}

/** Windows that may be due, oldest first, and those that have documents. */
async function lookedAt({ documents, clock }: DriftWorld, { model, window }: Watched, damaged: Damaged) {
  const now = clock();
  const latest = completeWindows(now, window);
  const kept = await documents.kept(model, latest, damaged);
  const reach = reachOf(latest, kept);
  if (reach <= latest.length) return { complete: latest, kept };
  const complete = completeWindows(now, window, reach);
  return { complete, kept: await documents.kept(model, complete, damaged) };
}

/**
 * What became of a window: without a document it is tried again. `waiting`: not one of its baselines is
 * known; `left`: there was no time for it.
 */
type Became = 'done' | 'waiting' | 'left';

async function judgeWindow(world: DriftWorld, watched: Watched, window: Span, fail: Fail): Promise<Became> {
  const gathered = await gatherRows(world, watched, window);
  if (gathered === undefined) return 'left';
  const { groups, skipped } = gathered;
  const before = await world.documents.read(watched.model, windowBefore(window), telling(fail));
  const judged = judgedOf(groups, before?.baseline);
  for (const group of groups) if (group !== judged) tellOther(world, watched, window, group, fail);
  if (skipped > 0 && groups.length === 0) fail('no line could be read as one', { skipped, ...span(window) });
  if (judged === undefined && groups.length > 0) return 'waiting';
  const found = windowOf(watched, window, judged);
  world.out(metricLine(watched.functionName, window.to, metricsOf(found, judged?.baseline, before)));
  const drifted = found.signals.some((signal) => signal.drifted);
  world.log(drifted ? 'warn' : 'info', wordsOf(found, judged?.baseline), {
    model: watched.model,
    ...span(window),
    ...(judged !== undefined && { baseline: judged.sums.baseline }),
    ...(skipped > 0 && { skipped }),
  });
  // Before the document, with which the window is done: told twice rather than never.
  if (judged?.baseline !== undefined)
    await tell(world, watched, window, found, judged.baseline, before, fail);
  await world.documents.write(found);
  return 'done';
}

/**
 * The rows that are judged: those of the baseline that the window before was judged by, unless another has
 * more than twice as many. Drift counts where two windows in a row show it against the same baseline, and of
 * two versions with half of the traffic each chance says which has more.
 *
 * @param groups most rows first
 */
function judgedOf(groups: readonly BaselineRows[], before: string | undefined): BaselineRows | undefined {
  const known = groups.filter(({ baseline }) => baseline !== undefined);
  const [most] = known;
  const same = known.find(({ sums }) => sums.baseline === before);
  return same !== undefined && most !== undefined && same.sums.rows * 2 >= most.sums.rows ? same : most;
}

/** A notice where drift that alarms count begins: the window before had none. */
async function tell(
  world: DriftWorld,
  watched: Watched,
  window: Span,
  found: DriftWindow,
  baseline: Baseline,
  before: DriftWindow | undefined,
  fail: Fail,
): Promise<void> {
  const now = countedOf(found, baseline, before);
  if (before === undefined || now.inputs.length + now.classes.length === 0) return;
  // What counts now was judged against the same baseline in the window before.
  const earlier = await world.documents.read(
    watched.model,
    windowBefore(windowBefore(window)),
    telling(fail),
  );
  const begun = newlyCounted(now, countedOf(before, baseline, earlier));
  if (begun.inputs.length + begun.classes.length === 0) return;
  const { subject, text } = driftNotice(watched, found, baseline, begun);
  await world.notify(subject, text);
}

/** A canary with a new baseline, or what a rollback left behind; or one that the registry does not have. */
function tellOther(
  world: DriftWorld,
  watched: Watched,
  window: Span,
  { sums, baseline }: BaselineRows,
  fail: Fail,
): void {
  const fields = { baseline: sums.baseline, rows: sums.rows, ...span(window) };
  if (baseline === undefined)
    fail('lines were scored against a baseline that the registry does not have', fields);
  else
    world.log('info', `${watched.model}: rows of another baseline are not judged in this window.`, {
      model: watched.model,
      ...fields,
    });
}

function windowOf(watched: Watched, { from, to }: Span, judged: BaselineRows | undefined): DriftWindow {
  const { sums, baseline } = judged ?? {};
  return {
    schema: 1,
    model: watched.model,
    baseline: sums?.baseline ?? '',
    from: iso(from),
    to: iso(to),
    requests: sums?.requests ?? 0,
    rows: sums?.rows ?? 0,
    ...(sums !== undefined && sums.estimated > sums.requests && { estimated: sums.estimated }),
    signals: sums === undefined || baseline === undefined ? [] : judgeSignals(sums, baseline, watched),
  };
}

/**
 * Inputs, and the classes of outputs; scores of outputs have an alarm of CloudWatch's own. DriftMax is absent
 * where no size is known: 0 would mean that nothing changed. What drifted is counted once it did so in two
 * windows in a row: CloudWatch could check that only of the count, or a window later.
 * @param before what was found in the window before
 */
export function metricsOf(
  found: DriftWindow,
  baseline: Baseline | undefined,
  before: DriftWindow | undefined,
): Readonly<Record<string, number | undefined>> {
  const { inputs, classes } = countedOf(found, baseline, before);
  const sizes = found.signals.flatMap((signal, index) => {
    const { size } = strongest(signal);
    return size !== undefined && baseline?.signals[index]?.of === 'input' ? [size] : [];
  });
  const hasClasses = found.signals.some((_, index) => baseline?.signals[index]?.value === 'label');
  return {
    [DRIFT_METRICS.max]: sizes.length > 0 ? Math.max(...sizes) : undefined,
    [DRIFT_METRICS.signals]: inputs.length,
    [DRIFT_METRICS.classes]: hasClasses ? classes.length : undefined,
    [DRIFT_METRICS.seen]: found.rows,
  };
}

const telling =
  (fail: Fail): Damaged =>
  (key) =>
    fail('a document of an earlier window is damaged and counts as none', { key });

type Fail = (what: string, fields: Readonly<Record<string, string | number>>) => void;

/**
 * Tells each failure, and counts the first: the alarm asks for runs that fail, and one may fail at many
 * windows.
 */
function failing(world: DriftWorld, { model, functionName }: Watched): Fail {
  let counted = false;
  return (what, fields) => {
    if (!counted) world.out(metricLine(functionName, world.clock(), { [DRIFT_METRICS.unreadable]: 1 }));
    counted = true;
    world.log('error', `${model}: ${what}.`, { model, ...fields });
  };
}

const iso = (at: number): string => new Date(at).toISOString();
const span = ({ from, to }: Span) => ({ from: iso(from), to: iso(to) });
