import { recordedCard } from '../../../../core/card/recorded.ts';
import { trainingLine } from '../../../../core/card/words.ts';
import { originLine } from '../../../../core/origin/origin.ts';
import type { CommandVerb } from '../../../../core/release/document/parts-contract.ts';
import { gateLine, VERDICTS } from '../words/lines.ts';
import { promotedLine } from '../words/promoted.ts';
import { span } from '../words/time.ts';
import type { Past } from './past.ts';

/** @param unread releases that are not shown, at least one */
const unreadText = (unread: number): string =>
  unread === 1
    ? '1 release cannot be read: a newer version of the plugin wrote it, or it is damaged.'
    : `${unread} releases cannot be read: a newer version of the plugin wrote them, or they are damaged.`;

/** Which releases are not shown, and why, a sentence each. @param limit releases that were asked for */
export function unshown(model: string, unread: number, older: number, limit: number): readonly string[] {
  const what = older === 1 ? '1 older release is' : `${older} older releases are`;
  const all = `\`sls models history --model ${model} --limit ${older + limit}\``;
  return [
    ...(unread > 0 ? [unreadText(unread)] : []),
    ...(older > 0 ? [`${what} not shown here: ${all} shows all.`] : []),
  ];
}

/** A block a release. @param left what is not shown, and why */
export function historyText(
  model: string,
  pasts: readonly (Past & { readonly bench?: string })[],
  left: readonly string[] = [],
): string {
  if (pasts.length === 0) return `${model}: ${left.length > 0 ? left.join(' ') : 'no release is recorded.'}`;
  const [newest] = pasts;
  const head = newest?.gone ? `${model}: is not deployed any more, its function is gone.` : model;
  return [head, ...pasts.map(pastText), ...left.map((line) => `  ${line}`)].join('\n');
}

function pastText(past: Past & { readonly bench?: string }): string {
  const { startedAt, outcome, endedAt, rolledBackAt, source, origin, gate, judgements, bench } = past;
  const line = (label: string, text: string): string => `      ${label.padEnd(10)}${text}`;
  const after = (at: string | undefined): string =>
    at === undefined ? '' : ` after ${span(Date.parse(at) - Date.parse(startedAt))}`;
  // A time for each end: behind the comma is what came of it since.
  const times = [endedAt, rolledBackAt];
  const ended = outcome.split(',').map((what, i) => `${what}${after(times[i])}`);
  const traffic = trafficText(past);
  const told = recordedCard(past);
  return [
    `  ${startedAt.slice(0, 19).replace('T', ' ')} UTC  ${versionText(past)}  ${ended.join(',')}`,
    line('by', authorText(past)),
    line('artifact', source === undefined ? 'not known' : `sha256 ${source.slice(0, 12)}`),
    ...(origin === undefined ? [] : [line('origin', originLine(origin))]),
    ...(told === undefined ? [] : [line('data', trainingLine(told))]),
    ...(past.promoted === undefined ? [] : [line('from', promotedLine(past.promoted))]),
    ...(gate === undefined ? [] : [line('gate', gateLine(gate))]),
    ...judgements.map((look) =>
      line(
        look.step === undefined ? 'judged' : `step ${look.step + 1}`,
        `${VERDICTS[look.verdict]}: ${look.reason}`,
      ),
    ),
    ...(traffic === undefined ? [] : [line('traffic', traffic)]),
    ...(bench === undefined ? [] : [line('bench', bench)]),
    ...whys(past).map((text) => line('why', text)),
  ].join('\n');
}

const ASKED: Readonly<Record<CommandVerb, string>> = {
  // It may have been rolled back before it had all traffic.
  promote: 'promotion asked for',
  hold: 'held',
  resume: 'resumed',
  rollback: 'rollback asked for',
};

/** What persons asked of it, and why it ended as it did, without what the looks say. */
export function whys({ startedAt, promotedBy, commands = [], reason, judgements }: Past): readonly string[] {
  const byHand = `promoted by ${promotedBy}`;
  const asked = commands.map(({ verb, to, by, at, reason: why }) => {
    const asking = to === undefined ? (ASKED[verb] ?? verb) : `rollback to version ${to} asked for`;
    const what = `${asking} by ${by}`;
    const after = span(Date.parse(at) - Date.parse(startedAt));
    return { what, text: `${what} after ${after}${why === undefined ? '' : `: ${why}`}` };
  });
  // Older workers noted the last promotion alone.
  const isNoted = commands.some(({ verb }) => verb === 'promote');
  const said = [...asked.map(({ what }) => what), ...(isNoted ? [byHand] : [])];
  // Somebody's word, or that of the look that decided.
  const isTold =
    reason === undefined ||
    said.some((what) => reason.startsWith(what)) ||
    reason.endsWith(judgements.at(-1)?.reason ?? '\n');
  return [
    ...asked.map(({ text }) => text),
    ...(promotedBy === undefined || isNoted || reason?.startsWith(byHand) ? [] : [byHand]),
    ...(isTold ? [] : [reason]),
  ];
}

function versionText({ from, to }: Past): string {
  if (to === undefined) return 'version not known';
  if (from === undefined) return `first version ${to}`;
  return from === to ? `version ${to} again` : `version ${from} → ${to}`;
}

function authorText({ by, plugin, command, forced }: Past): string {
  if (by === undefined) return 'not known';
  return `${by}, plugin ${plugin}${command === 'rollback' ? ', by sls rollback' : ''}${forced ? ', with --force' : ''}`;
}

/** How much of the traffic it had at its end, or has, and by which step. */
function trafficText({ weight, step }: Past): string | undefined {
  if (weight === undefined) return undefined;
  const at = step === undefined ? undefined : `step ${step.number} of ${step.of}`;
  if (weight === 100) return at === undefined ? 'all at once' : `all, after ${at}`;
  return at === undefined ? `${weight} %` : `${weight} % in ${at}`;
}
