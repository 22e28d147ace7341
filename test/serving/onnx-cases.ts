/** What the parts of the ONNX node tests tell one another, and the page that comes of it. */

/** A tensor as a range of tensors.bin. */
export type Stored = {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly at: number;
  readonly bytes: number;
  /** No NaN and no infinity in it. */
  readonly finite: boolean;
  /** ONNX Runtime itself answers otherwise each time. */
  readonly random?: boolean;
};

/** A line of cases.jsonl, as onnx_cases.py writes it. */
export type Case =
  | {
      readonly case: string;
      readonly model: string;
      readonly sets: readonly { readonly inputs: readonly Stored[]; readonly outputs: readonly Stored[] }[];
    }
  | { readonly case: string; readonly refused: string }
  | { readonly case: string; readonly inexpressible: string };

/** What the worker found. */
export type Outcome = { readonly case: string } & (
  | { readonly started: true }
  | { readonly same: true }
  | { readonly unsupported: string }
  | { readonly failed: string }
);

/** docs/onnx-cases.md. Pure: the same run gives the same page. */
export function page(
  versions: { readonly onnx: string; readonly onnxruntime: string },
  cases: readonly Case[],
  unsupported: ReadonlyMap<string, string>,
): string {
  const ran = cases.filter((entry) => 'model' in entry);
  const served = ran.filter((entry) => !unsupported.has(entry.case));
  const sets = served.flatMap((entry) => entry.sets.map((set) => ({ name: entry.case, ...set })));
  const names = (chosen: typeof sets): string[] => [...new Set(chosen.map(({ name }) => name))];
  const input = names(sets.filter(({ inputs }) => inputs.some(({ finite }) => !finite)));
  const output = names(
    sets.filter(
      ({ inputs, outputs }) => inputs.every(({ finite }) => finite) && outputs.some(({ finite }) => !finite),
    ),
  );
  const refused = group(cases.flatMap((e) => ('refused' in e ? [[e.refused, e.case] as const] : [])));
  const inexpressible = group([
    ...cases.flatMap((e) => ('inexpressible' in e ? [[e.inexpressible, e.case] as const] : [])),
    ...[...unsupported].map(([name, reason]) => [reason, name] as const),
  ]);
  const count = (groups: Groups): number => groups.reduce((sum, [, members]) => sum + members.length, 0);
  return `# ONNX's own test cases

Made by \`test/serving/onnx-cases.test.ts\`, which also checks it. The PyPI package \`onnx\` ${versions.onnx} ships
${cases.length} models of one operator each, with inputs. Each goes to the ONNX Runtime ${versions.onnxruntime} of Python
and to the endpoint's handler, in JSON and in binary, and the answers are compared (floats within 1e-5).

| cases | what |
| ---: | --- |
| ${served.length} | the handler answers the same as ONNX Runtime in Python |
| ${count(refused)} | ONNX Runtime itself refuses them: [below](#refused-by-onnx-runtime) |
| ${count(inexpressible)} | types that the inference protocol does not have: [below](#beyond-the-protocol) |

JSON cannot say NaN and infinity: ${input.length} of the first have such an input and were asked in binary only,
${output.length} have such an output, which is status 422 in JSON and the same as Python's in binary.

## Refused by ONNX Runtime

${table(refused)}

## Beyond the protocol

${table(inexpressible)}

## Binary only

Inputs: ${input.map(code).join(', ')}.

Outputs: ${output.map(code).join(', ')}.
`;
}

type Groups = readonly (readonly [string, readonly string[]])[];

function group(entries: readonly (readonly [string, string])[]): Groups {
  const groups = new Map<string, string[]>();
  for (const [reason, name] of entries) groups.set(reason, [...(groups.get(reason) ?? []), name]);
  return [...groups].sort(([a, first], [b, second]) => second.length - first.length || (a < b ? -1 : 1));
}

const code = (name: string): string => `\`${name.replace(/^test_/, '')}\``;

function table(groups: Groups): string {
  const cell = (text: string): string =>
    text.replaceAll('|', '\\|').replaceAll('*', '\\*').replaceAll('<', '&lt;');
  const rows = groups.map(
    ([reason, members]) => `| ${members.length} | ${cell(reason)} | ${members.map(code).join(' ')} |`,
  );
  return ['| cases | reason | names |', '| ---: | --- | --- |', ...rows].join('\n');
}
