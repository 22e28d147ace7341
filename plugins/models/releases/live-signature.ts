import { messageOf } from '../../../core/errors/aws-errors.ts';
import type { Registry } from '../../../core/registry/port.ts';
import type { Model } from '../declaration/model.ts';
import { aliasLogicalId } from '../declaration/naming.ts';
import type { Offer } from './deployment.ts';
import type { Aliases } from './removed-models.ts';
import { sayOf } from './session.ts';
import { type ClientSignature, changeLines, type SignatureChange, signatureChanges } from './signature.ts';
import { isStepwise } from './words/forecast.ts';

/** What clients see of the live version, from the registry, against what is about to be deployed. */

/** `sls models plan --json` prints it as it is. */
export type Comparison =
  | { readonly compared: false; readonly reason: string }
  | { readonly compared: true; readonly version: string; readonly changes: readonly SignatureChange[] };

/** What is offered of a model: none of the registry's words, which a plan does not know yet. */
export type OfferedSignature = { readonly model: string; readonly signature: ClientSignature };

type Reads = Pick<Registry, 'known' | 'release' | 'signature'>;

const NOT_LIVE: Comparison = { compared: false, reason: 'no version of it is live' };

/**
 * Compares what is offered of a model with its live version. Never throws.
 *
 * @param aliases of the stack, asked only where something differs: the registry keeps the documents of a
 * model
 *   that was removed
 */
export async function compareSignature(
  documents: Reads,
  aliases: Aliases,
  { model, signature }: OfferedSignature,
): Promise<Comparison> {
  try {
    const stable = (await documents.release(model))?.core.stable;
    if (stable === undefined) return NOT_LIVE;
    const { version } = stable;
    const fingerprint = stable.fingerprint ?? (await documents.known(model, version))?.fingerprint;
    const live = fingerprint === undefined ? undefined : await documents.signature(model, fingerprint);
    if (live === undefined)
      return {
        compared: false,
        reason: `the signature of version ${version}, which is live, is not known: it was deployed before signatures were kept`,
      };
    const changes = signatureChanges(live, signature);
    return changes.length > 0 && !(await hasAlias(aliases, model))
      ? NOT_LIVE
      : { compared: true, version, changes };
  } catch (error) {
    return { compared: false, reason: `the registry cannot be read (${messageOf(error)})` };
  }
}

/** Not to be told which aliases there are is no sign that it has none. */
async function hasAlias(aliases: Aliases, model: string): Promise<boolean> {
  const there = await aliases().catch(() => undefined);
  return there === undefined || there.has(aliasLogicalId(model));
}

/**
 * Before a deploy uploads anything: what of the signatures differs from the live versions', lines for people.
 * A model that is offered as it is live, or whose live signature is not known, has no line. Never throws.
 *
 * @param signatures by model, as packaged; a model without one is passed over
 */
export async function signatureNotices(
  documents: Reads,
  aliases: Aliases,
  models: readonly Model[],
  signatures: ReadonlyMap<string, ClientSignature>,
  stage: string,
): Promise<readonly string[]> {
  const lines = await Promise.all(
    models.map(async (model) => {
      const signature = signatures.get(model.name);
      if (signature === undefined) return [];
      const found = await compareSignature(documents, aliases, { model: model.name, signature });
      return found.compared ? linesOf(model, found, stage) : [];
    }),
  );
  return lines.flat();
}

/** Lines about what differs; none where nothing does. */
const linesOf = (
  model: Model,
  { version, changes }: Extract<Comparison, { compared: true }>,
  stage: string,
): readonly string[] =>
  changeLines(model.name, version, changes, isStepwise(model), sayOf(model.name, stage));

/** The lines of a plan: every model is told of, or why none is. */
export function comparisonLines(
  models: readonly Model[],
  found: ReadonlyMap<string, Comparison>,
  stage: string,
): readonly string[] {
  const all = [...found.values()];
  const reasons = new Set(all.map((one) => (one.compared ? '' : one.reason)));
  const [reason = ''] = reasons;
  if (reasons.size === 1 && reason !== '') return [`not compared with what is live: ${reason}`];
  return models.flatMap((model) => {
    const one = found.get(model.name);
    if (one === undefined) return [];
    if (!one.compared) return [`${model.name}: not compared with what is live: ${one.reason}`];
    const lines = linesOf(model, one, stage);
    return lines.length > 0
      ? lines
      : [`${model.name}: the same as that of version ${one.version}, which is live`];
  });
}

/** Beyond this a signature is not kept: thousands of inputs, whose comparison nobody would read. */
const BYTES = 256 * 1024;

/**
 * Keeps the signatures of what a deploy offers, for the comparison of a later one. Never throws: a deploy
 * does not fail for it.
 *
 * @param signatures by model, as packaged; a model without one is passed over
 * @returns what could not be kept, a sentence a model
 */
export async function keepSignatures(
  documents: Pick<Registry, 'keepSignature'>,
  offers: readonly Offer[],
  signatures: ReadonlyMap<string, ClientSignature>,
  at: string,
): Promise<readonly string[]> {
  const lines = await Promise.all(
    offers.map(async ({ model, fingerprint }): Promise<string[]> => {
      const signature = signatures.get(model);
      if (signature === undefined || fingerprint === '') return [];
      const { inputs, outputs } = signature;
      if (Buffer.byteLength(JSON.stringify({ inputs, outputs })) > BYTES) return [];
      try {
        await documents.keepSignature({ schema: 1, model, fingerprint, at, inputs, outputs });
        return [];
      } catch (error) {
        return [
          `${model}: its signature could not be kept, so later deploys are not compared with it: ${messageOf(error)}`,
        ];
      }
    }),
  );
  return lines.flat();
}
