import { percentFigure } from '../units/percent.ts';
import type { Form, FormCost } from './contract.ts';

/** Numbers and names of the advice, for people. */

export const FORM_NAMES: Readonly<Record<Form, string>> = {
  batch: 'batch on Lambda',
  'on-demand': 'Lambda, on demand',
  provisioned: 'Lambda, provisioned',
  managed: 'Lambda Managed Instances',
  fargate: 'containers on Fargate',
  kubernetes: 'containers on Kubernetes',
  sagemaker: 'SageMaker endpoint',
  edge: 'on the device',
};

/** Three significant digits, with commas from 1,000 on. */
export const numberWords = (value: number): string =>
  value >= 1000
    ? Number(value.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: 0 })
    : String(Number(value.toPrecision(3)));

/** `$0.42`, `$35.10`, `$1,234`. */
export function dollarWords(amount: number): string {
  if (amount >= 100) return `$${Math.round(amount).toLocaleString('en-US')}`;
  if (amount >= 0.01 || amount === 0) return `$${amount.toFixed(2)}`;
  return 'less than $0.01';
}

/** `$73.02 ?`: with a price that is not certain. */
export const sumWords = ({ doubtful, total }: Pick<FormCost, 'doubtful' | 'total'>): string =>
  `${dollarWords(total)}${doubtful.length > 0 ? ' ?' : ''}`;

/** `5 ms`, `1.5 s`, `10 min`, `8 h`, `2 days`. */
export function timeWords(seconds: number): string {
  if (seconds < 1) return `${numberWords(1000 * seconds)} ms`;
  if (seconds < 120) return `${numberWords(seconds)} s`;
  if (seconds < 7200) return `${numberWords(seconds / 60)} min`;
  return seconds < 2 * 86_400 ? `${numberWords(seconds / 3600)} h` : `${numberWords(seconds / 86_400)} days`;
}

const STORAGE = ['bytes', 'KB', 'MB', 'GB', 'TB'] as const;

/** Files and weights, in thousands: `28 GB`. */
export const weightWords = (bytes: number): string => scaled(bytes, 1000);
/** Memory and messages, in 1,024s, as AWS and devices count them: `512 KB`. */
export const memoryWords = (bytes: number): string => scaled(bytes, 1024);

function scaled(bytes: number, base: number): string {
  let [value, unit] = [bytes, 0];
  while (Number(value.toPrecision(3)) >= base && unit < STORAGE.length - 1) {
    value /= base;
    unit += 1;
  }
  return `${numberWords(value)} ${STORAGE[unit]}`;
}

/** `0.5/s`, `100/s`, or `3/min` and `40/day` where seconds say little. */
export function rateWords(perSecond: number): string {
  if (perSecond >= 0.1) return `${numberWords(perSecond)}/s`;
  const others = [
    ['min', 60],
    ['h', 3600],
    ['day', 86_400],
    ['month', 30 * 86_400],
  ] as const;
  // As somebody writes it: in the first unit in which it is a whole number.
  const isWhole = (value: number): boolean => value >= 1 && Math.abs(value - Math.round(value)) < 1e-6;
  const [unit, seconds] = others.find(([, size]) => isWhole(perSecond * size)) ??
    others.find(([, size]) => perSecond * size >= 1) ?? ['month', 30 * 86_400];
  return `${numberWords(perSecond * seconds)}/${unit}`;
}

/** `0.3 %` */
export const percentWords = (share: number): string => `${percentFigure(share, 3)} %`;

/** `7 · 10⁹` for people: `7 billion`. */
export function countWords(count: number): string {
  const [size, name] =
    count >= 1e12
      ? [1e12, ' trillion']
      : count >= 1e9
        ? [1e9, ' billion']
        : count >= 1e6
          ? [1e6, ' million']
          : [1, ''];
  return `${numberWords(count / size)}${name}`;
}
