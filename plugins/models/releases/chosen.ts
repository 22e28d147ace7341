import { type Context, missingName, mustName, nameOneOf, usage } from '../context/context.ts';
import type { Desk } from './session.ts';

/**
 * Which models a command on releases is about: by name, since one that is deployed may be declared no more,
 * or wrongly.
 */

type Given = Pick<Context, 'declared' | 'flags'>;
/** Names of the models that the registry knows; it is asked only where the declarations do not tell. */
type Recorded = () => Promise<readonly string[]>;

/** @returns the model that `--model` names, or the only one; @throws ProblemError */
export async function chosenModel(given: Given, recorded: Recorded): Promise<string> {
  const { declared, flags } = given;
  if (typeof flags.model === 'string') {
    if (declared.includes(flags.model)) return flags.model;
    const known = await recorded();
    if (known.includes(flags.model)) return flags.model;
    throw usage(
      '--model',
      `${flags.model} is neither declared nor in the registry.`,
      nameOneOf([...new Set([...declared, ...known])]),
    );
  }
  mustName(given);
  const all = declared.length > 0 ? declared : await recorded();
  const [only, second] = all;
  if (only === undefined || second !== undefined) throw missingName(all);
  return only;
}

/**
 * @returns the model that `--model` names, else all: those that are declared, then those that the registry
 * knows and nobody declares, which serve until the next deploy, but those that are gone
 */
export async function chosenModels(
  given: Given,
  desk: Pick<Desk, 'documents' | 'target'> & { readonly sight: Pick<Desk['sight'], 'exists'> },
): Promise<readonly string[]> {
  if (typeof given.flags.model === 'string') return [await chosenModel(given, desk.documents.models)];
  const others = (await desk.documents.models()).filter((name) => !given.declared.includes(name));
  const served = await Promise.all(
    // What cannot be told is shown, or says why not.
    others.map((name) =>
      desk.target(name).then(
        ({ functionName }) => desk.sight.exists(functionName),
        () => true,
      ),
    ),
  );
  return [...given.declared, ...others.filter((_, index) => served[index])];
}
