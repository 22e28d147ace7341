import type { Facts } from '../declaration/model.ts';
import type { Say } from './words/level.ts';

/** What a new version takes and answers otherwise than the live one does, as clients meet it. Pure. */

/** What clients see of a version. */
export type ClientSignature = Pick<Facts['signature'], 'inputs' | 'outputs'>;
type Spec = ClientSignature['inputs'][number];

export type SignatureChange = {
  /**
   * What of a client it breaks: requests that it sends, or how it reads answers; `nothing`: it only widens.
   */
  readonly breaks: 'requests' | 'answers' | 'nothing';
  /** For people, without a full stop. */
  readonly text: string;
};

type Side = 'input' | 'output';
type Pair = { readonly before: Spec; readonly after: Spec };

/** @returns an entry a difference, those that break clients first; none where the two are equal */
export function signatureChanges(
  live: ClientSignature,
  offered: ClientSignature,
): readonly SignatureChange[] {
  const all = [
    ...sideChanges('input', live.inputs, offered.inputs),
    ...sideChanges('output', live.outputs, offered.outputs),
  ];
  return [
    ...all.filter(({ breaks }) => breaks !== 'nothing'),
    ...all.filter(({ breaks }) => breaks === 'nothing'),
  ];
}

function sideChanges(
  side: Side,
  before: readonly Spec[],
  after: readonly Spec[],
): readonly SignatureChange[] {
  const same = before.flatMap((spec): Pair[] => {
    const found = after.find(({ name }) => name === spec.name);
    return found === undefined ? [] : [{ before: spec, after: found }];
  });
  const gone = before.filter((spec) => !same.some((pair) => pair.before === spec));
  const added = after.filter((spec) => !same.some((pair) => pair.after === spec));
  const renamed = renames(gone, added);
  const breaks = side === 'input' ? 'requests' : 'answers';
  return [
    ...gone
      .filter((spec) => !renamed.some((pair) => pair.before === spec))
      .map(
        ({ name }) =>
          ({
            breaks,
            text: `${side} ${plain(name)} is gone: requests that ${VERB[side]} it are refused`,
          }) as const,
      ),
    ...renamed.map(
      (pair) =>
        ({
          breaks,
          text: `${side} ${plain(pair.before.name)} is called ${plain(pair.after.name)} now: requests that ${VERB[side]} ${plain(pair.before.name)} are refused`,
        }) as const,
    ),
    ...added
      .filter((spec) => !renamed.some((pair) => pair.after === spec))
      .map((spec) => addition(side, spec)),
    ...same.flatMap((pair) => [...datatypeChange(side, pair), ...shapeChanges(side, pair)]),
    ...orderChange(side, before, after, [...same, ...renamed]),
    ...(side === 'output' ? invocationsChange(before, after, [...same, ...renamed]) : []),
  ];
}

/**
 * `/invocations` answers a row by the names of outputs, and as a bare value where there is one alone; csv has
 * the outputs' columns in their order.
 */
function invocationsChange(
  before: readonly Spec[],
  after: readonly Spec[],
  kept: readonly Pair[],
): readonly SignatureChange[] {
  if (before.length === 0 || after.length === 0) return [];
  if ((before.length === 1) !== (after.length === 1)) {
    const forms = ['the bare value', 'an object by the names of outputs'] as const;
    const [was, is] = after.length === 1 ? ([forms[1], forms[0]] as const) : forms;
    return [{ breaks: 'answers', text: `/invocations answers a row by ${is} now, not by ${was}` }];
  }
  const isKept = (spec: Spec): boolean => kept.some((pair) => pair.after === spec);
  const first = after.findIndex((spec) => !isKept(spec));
  const behind = after.slice(first + 1).find(isKept);
  if (first < 0 || behind === undefined) return [];
  const text = `output ${plain((after[first] as Spec).name)} stands before ${plain(behind.name)}: answers in CSV have its columns there`;
  return [{ breaks: 'answers', text }];
}

const VERB = { input: 'have', output: 'ask for' } as const;

/**
 * One that is gone and one that is new are the same by another name where nothing else of their kind is gone
 * or new.
 */
function renames(gone: readonly Spec[], added: readonly Spec[]): readonly Pair[] {
  return gone.flatMap((before) => {
    const [after, another] = added.filter((spec) => kindOf(spec) === kindOf(before));
    const alone = gone.filter((spec) => kindOf(spec) === kindOf(before)).length === 1;
    return after !== undefined && another === undefined && alone ? [{ before, after }] : [];
  });
}

const kindOf = ({ datatype, shape }: Spec): string => `${datatype} [${shape.join(', ')}]`;

/** The endpoint asks for every input of the signature. */
function addition(side: Side, spec: Spec): SignatureChange {
  const what = `${side} ${plain(spec.name)} (${kindOf(spec)}) is new`;
  return side === 'input'
    ? { breaks: 'requests', text: `${what} and required: requests without it are refused` }
    : { breaks: 'nothing', text: what };
}

function datatypeChange(side: Side, { before, after }: Pair): readonly SignatureChange[] {
  if (before.datatype === after.datatype) return [];
  const name = plain(before.name);
  return [
    side === 'input'
      ? {
          breaks: 'requests',
          text: `input ${name} takes ${after.datatype} now, not ${before.datatype}: requests with ${before.datatype} are refused`,
        }
      : { breaks: 'answers', text: `output ${name} is ${after.datatype} now, not ${before.datatype}` },
  ];
}

function shapeChanges(side: Side, { before, after }: Pair): readonly SignatureChange[] {
  const [name, ranks] = [plain(before.name), [before.shape.length, after.shape.length] as const];
  if (ranks[0] !== ranks[1]) {
    const text = `${side} ${name} has rank ${ranks[1]} now, [${after.shape.join(', ')}], not ${ranks[0]}, [${before.shape.join(', ')}]`;
    return [
      side === 'input'
        ? { breaks: 'requests', text: `${text}: requests of rank ${ranks[0]} are refused` }
        : { breaks: 'answers', text },
    ];
  }
  return before.shape.flatMap((was, i) => {
    const is = after.shape[i] ?? was;
    return was === is
      ? []
      : [dimensionChange(side, `${side} ${name}: the ${ordinal(i)} dimension`, was, is, i === 0)];
  });
}

function dimensionChange(
  side: Side,
  which: string,
  was: number,
  is: number,
  first: boolean,
): SignatureChange {
  // A model may answer in any size that it declares free; a fixed one promises more.
  if (is < 0) return { breaks: 'nothing', text: `${which} was ${was} and is free now` };
  if (was < 0 && side === 'output') return { breaks: 'nothing', text: `${which} was free and is ${is} now` };
  if (side === 'output') return { breaks: 'answers', text: `${which} is ${is} now, not ${was}` };
  if (was >= 0)
    return {
      breaks: 'requests',
      text: `${which} is ${is} now, not ${was}: requests of size ${was} are refused`,
    };
  const refused = first && is === 1 ? 'requests of several rows' : 'requests of another size';
  return { breaks: 'requests', text: `${which} was free and is ${is} now: ${refused} are refused` };
}

/** Names decide in JSON; in CSV without a header, positions do, and nothing would be refused. */
function orderChange(
  side: Side,
  before: readonly Spec[],
  after: readonly Spec[],
  pairs: readonly Pair[],
): readonly SignatureChange[] {
  const then = before.flatMap((spec) => pairs.find((pair) => pair.before === spec)?.after ?? []);
  const now = after.filter((spec) => then.includes(spec));
  if (then.every((spec, i) => spec === now[i])) return [];
  const text = `the ${side}s come in another order: ${names(now)}; before: ${names(then)}`;
  return [
    side === 'input'
      ? { breaks: 'requests', text: `${text}; CSV without a header is read in this order` }
      : { breaks: 'answers', text: `${text}; answers in CSV have this order` },
  ];
}

const LISTED = 8;
const names = (specs: readonly Spec[]): string =>
  [...specs.slice(0, LISTED).map(({ name }) => plain(name)), ...(specs.length > LISTED ? ['…'] : [])].join(
    ', ',
  );

const ORDINALS = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth'] as const;
const ordinal = (index: number): string => ORDINALS[index] ?? `${index + 1}th`;

const NAME = 80;

/** Exporters write anything into names, control characters of terminals included. */
function plain(name: string): string {
  const cut = name.length > NAME ? `${name.slice(0, NAME)}…` : name;
  return /^[\p{L}\p{N}_./:…-]+$/u.test(cut) ? cut : JSON.stringify(cut);
}

/** So many changes are told in lines; the rest is counted. */
const LINES = 20;

/**
 * What a deploy and `plan` say, a heading first; none where nothing differs.
 *
 *     churn: its signature differs from that of version 3, which is live:
 *       input b is called c now: requests that have b are refused
 *     Clients that send what version 3 takes may be refused; an intended change goes by
 *     `sls models promote --model churn --stage prod` once clients follow.
 *
 * @param steps the new version gets its traffic by steps, so that there is something to promote
 */
export function changeLines(
  model: string,
  version: string,
  changes: readonly SignatureChange[],
  steps: boolean,
  say: Say,
): readonly string[] {
  if (changes.length === 0) return [];
  const breaks = new Set(changes.map((change) => change.breaks));
  const isSafe = !breaks.has('requests') && !breaks.has('answers');
  const rest = changes.length - LINES;
  return [
    `${model}: its signature ${isSafe ? 'is wider than' : 'differs from'} that of version ${version}, which is live:`,
    ...changes.slice(0, LINES).map(({ text }) => `  ${text}`),
    ...(rest > 0 ? [`  and ${rest} more: \`sls models plan --json\` lists all`] : []),
    ...(isSafe
      ? []
      : [
          `${whoBreaks(breaks, version)}; ${steps ? `if the change is intended, promote it once clients follow: \`${say('promote')}\`.` : 'it is released without steps, so all clients meet this at once.'}`,
        ]),
  ];
}

function whoBreaks(breaks: ReadonlySet<SignatureChange['breaks']>, version: string): string {
  const sent = `Clients that send what version ${version} takes may be refused`;
  if (!breaks.has('answers')) return sent;
  return breaks.has('requests')
    ? `${sent}, and those that read what it answers may fail`
    : `Clients that read what version ${version} answers may fail`;
}
