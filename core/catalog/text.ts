/**
 * What generators make names of: a model's part in the names of schemas and operations, and its tag. They
 * write them in the case of their language and leave out dashes, so that `a-1` and `a1`, or `aB` and `a-b`,
 * would be one name; all of these are models' names that may stand beside each other.
 */
type Words = {
  /**
   * The word for a model's name: itself, or with a number where another model's would be the same to a
   * generator.
   */
  readonly of: (model: string) => string;
  /** The tag of what belongs to no model; a model's tag is its name. */
  readonly server: string;
};

/** @param names of the models, in the order that numbers follow */
export function generatedWords(names: readonly string[]): Words {
  const taken = new Set<string>();
  const words = new Map<string, string>();
  for (const name of names) {
    let word = name;
    // The first that is free: `a1-2` might be a model, too.
    for (let count = 2; taken.has(bare(word)) || isAnother(word, name, names); count++)
      word = `${name}-${count}`;
    taken.add(bare(word));
    words.set(name, word);
  }
  // No model's name may start with `models-`.
  const server = names.some((name) => bare(name) === 'server') ? 'models-server' : 'server';
  return { of: (model) => words.get(model) ?? model, server };
}

const bare = (name: string): string => name.replaceAll('-', '').toLowerCase();

/** A word that was made must not be the name of a model that comes later. */
const isAnother = (word: string, name: string, names: readonly string[]): boolean =>
  word !== name && names.some((other) => other !== name && bare(other) === bare(word));
