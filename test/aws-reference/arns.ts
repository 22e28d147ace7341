/** Whether a resource of a policy can be of a type, by the form that the reference gives for its ARN. */
import type { ResourceType, Service } from './reference.ts';

/** One character that fits, or any number of them. */
type Step = { readonly fits: (character: string) => boolean; readonly many: boolean; readonly text?: string };

/** `arn:aws:s3:::rows/*` as IAM reads it: `*` is any text, across all separators, and `?` one character. */
const ofPolicy = (resource: string): readonly Step[] =>
  [...resource].map((one) =>
    one === '*' || one === '?' ? { fits: () => true, many: one === '*' } : literal(one),
  );

const literal = (text: string): Step => ({ fits: (one) => one === text, many: false, text });

const PLACEHOLDER = /\$\{\w+\}/;

/**
 * A form of the reference. A placeholder is one character or more, but not the separator behind it: neither
 * the one of this form nor, at its end, that of a longer form. So no bucket has the ARN of an object.
 */
function ofReference(form: string, forms: readonly string[]): readonly Step[] {
  const texts = form.split(PLACEHOLDER);
  return texts.flatMap((text, at) => {
    const next = texts[at + 1];
    const steps = [...text].map(literal);
    if (next === undefined) return steps;
    const beyond = next === '' && at + 2 === texts.length ? longer(form, forms) : [next[0]];
    const fits = (one: string): boolean => !beyond.includes(one);
    return [...steps, { fits, many: false }, { fits, many: true }];
  });
}

/** What other forms have behind the whole of this one: `:` behind a function's name. */
function longer(form: string, forms: readonly string[]): readonly (string | undefined)[] {
  const plain = (text: string): string => text.replace(new RegExp(PLACEHOLDER, 'g'), '$');
  return forms
    .map(plain)
    .filter((other) => other.startsWith(plain(form)))
    .map((other) => other[plain(form).length]);
}

/** Whether there is a text that both are. */
function overlap(one: readonly Step[], other: readonly Step[]): boolean {
  /** For each rest of `other`: whether the rest of `one` below goes with it. */
  let below: boolean[] = [];
  for (let i = one.length; i >= 0; i--) {
    const row: boolean[] = [];
    for (let j = other.length; j >= 0; j--) {
      const [a, b] = [one[i], other[j]];
      if (a === undefined && b === undefined) row[j] = true;
      else if (a?.many) row[j] = below[j] === true || row[j + 1] === true;
      else if (b?.many) row[j] = row[j + 1] === true || (a !== undefined && both(a, b) && below[j] === true);
      else row[j] = a !== undefined && b !== undefined && both(a, b) && below[j + 1] === true;
    }
    below = row;
  }
  return below[0] === true;
}

const both = (a: Step, b: Step): boolean =>
  (a.text === undefined || b.fits(a.text)) && (b.text === undefined || a.fits(b.text));

/**
 * The forms of a type in a policy, where they are others than the reference says.
 * Lambda: actions on a function can be restricted to it by the ARN of the function, a version or an alias.
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html
 * CloudWatch Logs: `:*` is behind a log group’s name, but for the actions of tags.
 * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html
 */
function formsOf({ key, arn }: ResourceType, action: string): readonly string[] {
  const forms = arn.split(SEVERAL);
  if (key === 'function') return forms.flatMap((form) => [form, `${form}:\${Qualifier}`]);
  if (key === 'log-group' && !/Tag/.test(action)) return forms.map((form) => `${form}:*`);
  return forms;
}

const SEVERAL = /,\s*/;
const known = new Map<string, boolean>();

/**
 * @param resource of a policy, `*` included
 * @param type its name in the reference
 * @param action without its service
 */
export function isOfType(resource: string, type: string, action: string, service: Service): boolean {
  const found = service.resourceTypes[type.toLowerCase()];
  if (found === undefined) throw new Error(`The reference has no type ${type} of resources.`);
  const wanted = formsOf(found, action);
  const key = [resource, ...wanted].join(' ');
  const before = known.get(key);
  if (before !== undefined) return before;
  const all = Object.values(service.resourceTypes).flatMap(({ arn }) => arn.split(SEVERAL));
  const is = wanted.some((form) => overlap(ofPolicy(resource), ofReference(form, all)));
  known.set(key, is);
  return is;
}
