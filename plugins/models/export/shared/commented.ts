import { Document, isMap, isNode, isScalar, isSeq } from 'yaml';
import type { Json } from '../../contracts/cloudformation.ts';

/** A document of YAML with what a reviewer is told. */
export type Commented = {
  /** Above it, a paragraph each. */
  readonly head: readonly string[];
  readonly value: Json;
  /** By path: `spec/template/spec/containers/0/image`. */
  readonly notes: Readonly<Record<string, string>>;
};

const WIDTH = 110;

/**
 * Texts that YAML 1.1 would take for dates and truth values are quoted: the readers of CloudFormation and
 * Kubernetes are of that version.
 *
 * @throws Error where a note is for what is not there: a fault of ours
 */
export function yamlText({ head, value, notes }: Commented): string {
  const document = new Document(value, { aliasDuplicateObjects: false, compat: 'yaml-1.1' });
  for (const [path, note] of Object.entries(notes)) {
    const parts = path.split('/');
    annotate(document, parts, wrapped(note, WIDTH - 2 * parts.length));
  }
  const above = head.map((paragraph) =>
    wrapped(paragraph, WIDTH)
      .map((line) => `#${line}\n`)
      .join(''),
  );
  return `${above.join('#\n')}${document.toString({ lineWidth: 0 })}`;
}

function annotate(document: Document, parts: readonly string[], lines: readonly string[]): void {
  const last = parts.at(-1) ?? '';
  const around = parts.length === 1 ? document.contents : document.getIn(parts.slice(0, -1), true);
  const pair = isMap(around)
    ? around.items.find(({ key }) => isScalar(key) && key.value === last)
    : undefined;
  const node = isSeq(around) ? around.items[Number(last)] : pair?.key;
  if (!isNode(node)) throw new Error(`There is no ${parts.join('/')} to comment on.`);
  node.commentBefore = lines.join('\n');
}

/** Lines with a space in front; a line that is not to be broken is one by itself already. */
function wrapped(text: string, width: number): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const lines: string[] = [];
    let at = '';
    for (const word of line.split(' ')) {
      if (at !== '' && at.length + word.length + 3 > width) {
        lines.push(at);
        at = '';
      }
      at += ` ${word}`;
    }
    return [...lines, at];
  });
}
