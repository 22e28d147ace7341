import type { Entry } from '../../../core/batch/contract.ts';
import { formatOf } from '../../../core/tabular/formats.ts';
import type { Problem } from '../problems/errors.ts';
import { placeOf } from './keys/units.ts';
import type { Model } from './model.ts';

/** An entry among those of all models. */
type Node = { readonly key: string; readonly model: string; readonly entry: Entry };

/**
 * Outputs that come back as inputs, by however many entries and models between: each such circle once. What
 * goes on without coming back is fine.
 */
export function cycleProblems(models: readonly Model[]): readonly Problem[] {
  const nodes = models.flatMap(({ name, batch }) =>
    (batch?.entries ?? []).map(
      (entry, index): Node => ({ key: `models.${name}.batch.${index}`, model: name, entry }),
    ),
  );
  const next = new Map(nodes.map((node) => [node, nodes.filter((other) => feeds(node, other))]));
  const told = new Set<Node>();
  return nodes.flatMap((node): Problem[] => {
    const circle = told.has(node) ? undefined : circleFrom(node, next);
    if (circle === undefined) return [];
    for (const one of circle) told.add(one);
    const [first] = circle;
    const way = [...circle, first].map((one) => one?.key).join(' → ');
    const { output } = node.entry;
    return [
      {
        code: 'MODELS_BATCH_LOOP',
        key: `${node.key}.output`,
        value: `s3://${output.bucket}/${output.prefix}`,
        message:
          circle.length === 1
            ? `is s3://${output.bucket}/${output.prefix}, and what is written there is taken by its own input, ${placeOf(node.entry.input)}: it would be scored without end.`
            : `comes back to its own input: ${way}: it would be scored without end.`,
        fix: 'Write an output outside of the inputs, or a suffix that the outputs do not have.',
      },
    ];
  });
}

/** The shortest way from a node back to itself. */
function circleFrom(start: Node, next: ReadonlyMap<Node, readonly Node[]>): readonly Node[] | undefined {
  const ways: (readonly Node[])[] = [[start]];
  const seen = new Set<Node>();
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    for (const node of next.get(way.at(-1) as Node) ?? []) {
      if (node === start) return way;
      if (seen.has(node)) continue;
      seen.add(node);
      ways.push([...way, node]);
    }
  }
  return undefined;
}

/** Might another entry take anything that this one writes, documents of its jobs included? */
function feeds({ model, entry }: Node, { entry: { input } }: Node): boolean {
  const { output, outputFormat } = entry;
  if (output.bucket !== input.bucket) return false;
  const heads = [`${output.prefix}${model}@`, `${output.prefix}${model}/latest/`];
  const endings = [formatOf(outputFormat).suffix, '.jsonl', '.json'];
  return (
    heads.some((head) => head.startsWith(input.prefix) || input.prefix.startsWith(head)) &&
    endings.some((ending) => ending.endsWith(input.suffix) || input.suffix.endsWith(ending))
  );
}
