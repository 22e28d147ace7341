import { fieldIn, listIn } from '../../../core/json/fields.ts';
import { parsed } from '../../../core/json/parsed.ts';

/** What a repository’s lifecycle policy does to images that Lambda needs for as long as their versions. */

/**
 * Of several rules that select an image the one that comes first decides; one that names several tags selects
 * images that have them all. Pure.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
 *
 * @param policy as ECR keeps it
 * @returns the rule that takes an image of this tag away, or archives it, in short; undefined for none
 */
export function ruleFor(policy: string, tag: string): string | undefined {
  const selecting = listIn(parsed(policy), 'rules').flatMap((rule) => {
    const [priority, selection] = [fieldIn(rule, 'rulePriority'), fieldIn(rule, 'selection')];
    return typeof priority === 'number' && selects(selection, tag) ? [{ priority, selection }] : [];
  });
  const [first] = selecting.toSorted((one, other) => one.priority - other.priority);
  if (first === undefined) return undefined;
  const [type, number] = ['countType', 'countNumber'].map((name) => fieldIn(first.selection, name));
  return `rule ${first.priority} of its lifecycle policy, ${type} ${number}`;
}

function selects(selection: unknown, tag: string): boolean {
  const status = fieldIn(selection, 'tagStatus');
  if (status !== 'tagged') return status === 'any';
  const prefixes = listIn(selection, 'tagPrefixList').map((prefix) => `${prefix}*`);
  return [...prefixes, ...listIn(selection, 'tagPatternList').map(String)].every((pattern) =>
    asPattern(pattern).test(tag),
  );
}

/** `*` stands for any signs. */
const asPattern = (pattern: string): RegExp =>
  new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`);
