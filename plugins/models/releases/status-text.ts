import type { Judgement, SignalJudgement, Verdict } from '../../../core/judge/contract.ts';
import { boundAndLimit, odds, of, wholeNumber } from '../../../core/judge/format.ts';
import type { WriteBack } from '../../../core/release/document/parts-contract.ts';
import { shouldSay } from '../../../core/release/state/write-back.ts';
import type { Status } from './status.ts';
import type { Level } from './words/level.ts';
import { gateLine, stepsText, VERDICTS } from './words/lines.ts';
import { moment } from './words/time.ts';

/** Status for a person: the first line says whether it is well and whether they must do something. Pure. */

const HEADS: Readonly<Record<Level, string>> = {
  ok: 'OK, nothing to do',
  look: 'LOOK, not urgent',
  act: 'ACT NOW',
};

/** Width of the column of labels, and of a bar. */
const LABEL = 11;
const BAR = 20;

/** @param now milliseconds */
export function statusText(status: Status, now: number): string {
  const { model, level, summary, todo } = status;
  const line = (label: string, text: string): string => `  ${label.padEnd(LABEL)}${text}`;
  const lines = (label: string, texts: readonly string[]): readonly string[] =>
    texts.map((text, index) => line(index === 0 ? label : '', text));
  const at = (iso: string): string => moment(iso, now);
  return [
    `${model}: ${HEADS[level]}. ${summary}`,
    ...lines('to do', todo),
    ...lines('traffic', barsOf(status.traffic)),
    ...(status.next === undefined ? [] : [line('next', status.next)]),
    ...stepLines(status, at).map((text) => line('step', text)),
    ...looksOf(status).flatMap((one) => lines(one.label, judgementLines(one, at))),
    ...(status.latencyJudged === false
      ? [line('latency', 'is not judged: no objective, or another one than the stable version counts by')]
      : []),
    ...(status.rejectedJudged === false
      ? [line('refusals', 'are not judged: one of the versions does not count its refused requests')]
      : []),
    ...(status.gate === undefined ? [] : [line('gate', gateLine(status.gate))]),
    ...reasonOf(status).map((text) => line('reason', text)),
    ...(status.held === undefined
      ? []
      : [line('held', `in ${status.held.from}, since ${at(status.held.at)}`)]),
    ...lines(
      'alarms',
      status.alarmsUnreadable
        ? [`cannot be read: ${status.alarmsUnread ?? 'cloudwatch:DescribeAlarms is missing'}`]
        : status.alarms.map(({ alarm, since }) => `${alarm} is on since ${at(since)}`),
    ),
    ...(status.quietUntil !== undefined && Date.parse(status.quietUntil) > now
      ? [line('quiet', `alarms bring no version back until ${at(status.quietUntil)}`)]
      : []),
    ...lines(
      'capacity',
      status.capacity.map(
        ({ version, ready, requested }) => `version ${version}: ${ready} of ${requested} instances ready`,
      ),
    ),
    ...lines(
      'refused',
      status.refused.map(
        ({ version, at: when, reason }) =>
          `version ${version}, ${at(when)}${status.reason?.includes(reason) ? '' : `: ${reason}`}`,
      ),
    ),
    ...(status.unpublished > 0
      ? [line('notices', `${status.unpublished} not published on the alerts topic yet`)]
      : []),
    ...(status.mlflow === undefined ? [] : [line('mlflow', toldLine(status.mlflow))]),
    ...(status.startedAt === undefined
      ? []
      : [
          line(
            'release',
            `${status.phase}${status.dryRun ? ' (dry run)' : ''}, ${strategyOf(status)}, begun ${at(status.startedAt)}`,
          ),
        ]),
  ].join('\n');
}

/** How it gives a version its traffic; the service may say otherwise since it began. */
const strategyOf = ({ strategy, keptSteps }: Status): string =>
  keptSteps === undefined ? `${strategy}` : `by the steps that it began with (${stepsText(keptSteps)})`;

/** What MLflow says of what is live, or why it does not. */
function toldLine(so: WriteBack): string {
  const { is, at, reason } = so;
  const why = reason === undefined ? '' : `: it ${reason}`;
  switch (is) {
    case 'written':
      return `${shouldSay(so)}, at ${at}`;
    case 'gaveUp':
      return `was not told that ${shouldSay(so)}, at ${at}${why}`;
    default:
      return `is still to be told that ${shouldSay(so)}, at ${at}${why}`;
  }
}

/** `version 7  ███████████████░░░░░  75 %  stable` */
function barsOf(traffic: Status['traffic']): readonly string[] {
  const width = Math.max(0, ...traffic.map(({ version }) => version.length));
  return traffic.map(({ version, share, role }) => {
    // Some traffic shows, however little, and so does what is left.
    const exact = (share / 100) * BAR;
    const full = share <= 0 ? 0 : share >= 100 ? BAR : Math.min(BAR - 1, Math.max(1, Math.round(exact)));
    const bar = '█'.repeat(full) + '░'.repeat(BAR - full);
    return `version ${version.padStart(width)}  ${bar}  ${`${share} %`.padStart(6)}  ${role}`.trimEnd();
  });
}

/** Unless it is told already: in the first line, or by the look that decided. */
function reasonOf({ reason, summary, judgements }: Status): readonly string[] {
  if (reason === undefined || summary.includes(reason)) return [];
  const decided = judgements.at(-1)?.reason;
  return decided !== undefined && reason.endsWith(decided) ? [] : [reason];
}

function stepLines({ step }: Status, at: (iso: string) => string): readonly string[] {
  if (step === undefined) return [];
  const { number, of: all, weight, since, until } = step;
  const when = since === undefined ? '' : `, since ${at(since)}`;
  const bake = until === undefined ? '' : `, bakes until ${at(until)}`;
  return [`${number} of ${all}: ${weight} %${when}${bake}`];
}

type Look = {
  readonly label: string;
  readonly look: Judgement;
  readonly names: Names;
  /** The numbers, too; for a step that is over, the sentence is enough. */
  readonly full: boolean;
};
/** The one that is judged, and the one that it is held against. */
type Names = readonly [string, string];

function looksOf({ judgements, reversal, stable, candidate, phase }: Status): readonly Look[] {
  const current = phase === 'JUDGING' || phase === 'HELD' || phase === 'ROLLED_BACK';
  return [
    ...judgements.map((look, index) => ({
      label: index === 0 ? 'judged' : '',
      look,
      names: ['candidate', 'stable'] as const,
      full: current && index === judgements.length - 1,
    })),
    ...(reversal?.judgement === undefined
      ? []
      : [
          {
            label: 'reversed',
            look: reversal.judgement,
            // Once it has taken over, the last good one is the stable one.
            names: [
              `version ${stable === reversal.to ? candidate : stable}`,
              `version ${reversal.to}`,
            ] as const,
            full: true,
          },
        ]),
  ];
}

/** What must not be missed at night stands out. */
const LOUD: Readonly<Record<Verdict, string>> = { ...VERDICTS, fail: 'FAIL' };

/** A look: its verdict and reason, then each signal with the numbers that decided. */
function judgementLines({ look, names, full }: Look, at: (iso: string) => string): readonly string[] {
  const step = look.step === undefined ? '' : `step ${look.step + 1}, `;
  const head = `${step}${at(look.at)}: ${LOUD[look.verdict]}: ${look.reason}`;
  if (!full) return [head];
  const width = Math.max(0, ...look.signals.map(({ signal }) => signal.length));
  const rows = look.signals.flatMap((one) =>
    signalTexts(one, names).map((text, index) =>
      index === 0
        ? `  ${one.signal.padEnd(width)}  ${LOUD[one.verdict].padEnd(10)}  ${text}`
        : `  ${''.padEnd(width + 14)}${text}`,
    ),
  );
  return [head, ...rows];
}

/** Counts, evidence against its limit, bound against its limit; no figures where there was nothing. */
function signalTexts({ numbers }: SignalJudgement, [candidate, stable]: Names): readonly string[] {
  const { x1, n1 = 0, x2, n2 = 0, lnE, lnLimit, bound, limit, shift, expectedShift } = numbers;
  if (n1 === 0 && n2 === 0) return ['no requests yet'];
  const counts =
    x1 === undefined || x2 === undefined
      ? `${candidate} ${wholeNumber(n1)} answers, ${stable} ${wholeNumber(n2)}`
      : `${candidate} ${of(x1, n1)}, ${stable} ${of(x2, n2)}`;
  return [
    counts,
    ...(lnE === undefined || lnLimit === undefined
      ? []
      : [`evidence that it is worse ${odds(lnE)}; ${odds(lnLimit)} rolls back`]),
    ...(limit === undefined ? [] : [boundText(bound, limit)]),
    ...(shift === undefined
      ? []
      : [`shifted by ${Number(shift.toPrecision(2))} σ; ${expectedShift} σ are allowed`]),
  ];
}

/** @param bound absent: endless */
function boundText(bound: number | undefined, limit: number): string {
  const [risen, allowed] = boundAndLimit(bound ?? Number.POSITIVE_INFINITY, limit);
  return `may have risen by ${bound === undefined ? 'any amount' : risen}; less than ${allowed} passes`;
}

/** The one line that says most, for a log that must not be redrawn. */
export function statusLine(status: Status): string {
  const look = status.reversal?.judgement ?? status.judgements.at(-1);
  const running = status.phase === 'JUDGING' || status.phase === 'REVERSING' || status.phase === 'HELD';
  const verdict = running && look !== undefined ? ` ${LOUD[look.verdict]}: ${look.reason}.` : '';
  return `${status.model}: ${status.phase}: ${status.summary}${verdict}`;
}
