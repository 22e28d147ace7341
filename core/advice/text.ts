import type { AdviceNeeds, AdvisedForm, BreakEven, FormAdvice, Prices } from './contract.ts';
import { FORM_NAMES, memoryWords, rateWords, sumWords, timeWords } from './words.ts';

/** The advice in lines, for the terminal; the page takes its words from here, too. */

const wrapped = (text: string, indent: string, width = 100): string => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join(`\n${indent}`);
};

export const costWords = ({ cost }: AdvisedForm): string => (cost === undefined ? '–' : sumWords(cost));

/** Why a form is not taken, or what it is. */
export const formWords = ({ cost, excludedBy, form }: AdvisedForm): string => {
  const made = cost?.made ?? (form === 'edge' ? 'devices are yours: not counted' : '');
  if (excludedBy.length === 0) return made;
  return `${made === '' ? '' : `${made}; `}out: ${excludedBy.join(', ')}`;
};

export function breakEvenWords({ against, first, form, rate }: BreakEven): string {
  const [name, other] = [FORM_NAMES[form], FORM_NAMES[against]];
  if (rate === undefined) return `${name} never costs less than ${other}`;
  const once =
    first === undefined || rate / first < 1.05 ? '' : ` (now and then from ${rateWords(first)} on)`;
  return `${name} costs less than ${other} from ${rateWords(rate)} on${once}`;
}

/** `Lambda, on demand, up to 66/s; then containers on Fargate` */
export function cheapestWords({ cheapest }: Pick<FormAdvice, 'cheapest'>): string | undefined {
  const parts = cheapest.map(({ form, from }, i) => {
    const next = cheapest[i + 1];
    const name = FORM_NAMES[form];
    if (next !== undefined) return `${name} up to ${rateWords(next.from)}`;
    return i === 0 ? `${name} at every rate` : `${name} from ${rateWords(from)} on`;
  });
  return parts.length === 0 ? undefined : parts.join('; ');
}

/** What the cost of a month was counted for. */
export function countedWords({ burst, memory, payload, service, start, traffic }: AdviceNeeds): string {
  return [
    traffic === undefined ? 'traffic not known' : `${rateWords(traffic.value)} (${traffic.from})`,
    ...(burst.value > 1 ? [`half of it at ${burst.value} times that (${burst.from})`] : []),
    `${timeWords(service.value)} a request (${service.from})`,
    `${memory.value.toLocaleString('en-US')} MB (${memory.from})`,
    `${timeWords(start.value)} a start (${start.from})`,
    `${memoryWords(payload.value)} a request and its answer (${payload.from})`,
  ].join(', ');
}

/** Where prices come from. */
export function sourceWords(prices: Prices): string {
  const dates = [...new Set(Object.values(prices).map(({ read }) => read))].sort();
  return `us-east-1, on demand, without the free tier, transfer, logs and alarms; read ${dates.join(', ')}; ? is a price without a page of AWS’s own`;
}

export function adviceText(name: string, needs: AdviceNeeds, advice: FormAdvice, prices: Prices): string {
  const widest = Math.max(...Object.values(FORM_NAMES).map(({ length }) => length));
  const least = cheapestWords(advice);
  return [
    `${name}: ${wrapped(advice.headline, '  ')}`,
    '',
    'Why',
    ...(advice.reasons.length === 0 ? ['  Nothing is known that would rule anything out.'] : []),
    ...advice.reasons.map(({ rule, words }) => `  ${rule.padEnd(13)} ${wrapped(words, ' '.repeat(16))}`),
    '',
    ...(needs.traffic === undefined
      ? ['Cost a month: not known without the traffic.']
      : [
          `Cost a month, ${wrapped(countedWords(needs), '  ')}`,
          ...advice.forms.map((one) => {
            const mark = one.form === advice.form ? '→' : ' ';
            return `${mark} ${FORM_NAMES[one.form].padEnd(widest)}  ${costWords(one).padStart(9)}  ${formWords(one)}`.trimEnd();
          }),
        ]),
    `  ${wrapped(`Prices: ${sourceWords(prices)}.`, '  ')}`,
    ...(least === undefined
      ? []
      : ['', 'By rate', `  ${wrapped(`Least, give or take a tenth: ${least}.`, '  ')}`]),
    ...advice.breakEven.map((one) => `  ${breakEvenWords(one)}.`),
    '',
    ...(advice.unknown.length === 0
      ? ['Nothing that was asked for is unknown.']
      : [
          'Not known',
          ...advice.unknown.map(({ needed, what }) => `  ${wrapped(`${what} Needed: ${needed}`, '    ')}`),
        ]),
  ].join('\n');
}
