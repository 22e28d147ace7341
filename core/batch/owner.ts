import type { Files } from '../ports/files.ts';
import { type Entry, OWNER_FILE, type Owner } from './contract.ts';

/**
 * Which service and stage an output belongs to: two that shared one would overwrite each other's `latest`.
 */

/** `<output>/<model>/_OWNER.json`. */
export const ownerKey = (model: string, { output }: Pick<Entry, 'output'>): string =>
  `${output.prefix}${model}/${OWNER_FILE}`;

/**
 * @param text `<account>/<region>/<service>/<stage>`, as in the function's environment: none of them has a
 * `/`
 */
export function parseOwner(text: string): Owner {
  const [account = '', region = '', service = '', stage = ''] = text.split('/');
  return { schema: 1, account, region, service, stage };
}

export const isSameOwner = (one: Owner, other: Owner): boolean =>
  one.account === other.account &&
  one.region === other.region &&
  one.service === other.service &&
  one.stage === other.stage;

/** `shop-prod (123456789012, eu-central-1)`. */
export const ownerName = (owner: Owner): string =>
  owner === DAMAGED
    ? 'an owner whose _OWNER.json cannot be read'
    : `${owner.service}-${owner.stage} (${owner.account}, ${owner.region})`;

/**
 * What no service and stage is: nobody moves `latest` before a person has looked, and `--adopt` writes it
 * anew.
 */
const DAMAGED: Owner = { schema: 1, account: '', region: '', service: '', stage: '' };

function ownerIn(text: string): Owner {
  try {
    const { account, region, service, stage } = JSON.parse(text) as Partial<Record<keyof Owner, unknown>>;
    const isWhole = [account, region, service, stage].every((one) => typeof one === 'string' && one !== '');
    return isWhole ? (JSON.parse(text) as Owner) : DAMAGED;
  } catch {
    return DAMAGED;
  }
}

export const ownerText = (owner: Owner): string => `${JSON.stringify(owner, null, 2)}\n`;

/** @returns undefined where nobody owns it yet, with the ETag of what is there */
export async function readOwner(
  files: Pick<Files, 'read'>,
  key: string,
): Promise<{ readonly owner: Owner; readonly etag: string } | undefined> {
  const found = await files.read(key);
  return found && { owner: ownerIn(found.text), etag: found.etag };
}

/** Whoever comes first has it. @returns who owns it then */
export async function takeOwner(
  files: Pick<Files, 'read' | 'create'>,
  key: string,
  us: Owner,
): Promise<Owner> {
  const found = await readOwner(files, key);
  if (found !== undefined) return found.owner;
  if ((await files.create(key, ownerText(us))) === 'created') return us;
  // Somebody else was first.
  return (await readOwner(files, key))?.owner ?? us;
}
