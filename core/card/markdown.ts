import { originLine } from '../origin/origin.ts';
import type { TensorSpec } from '../tensor/contract.ts';
import { plainText } from '../text/plain.ts';
import type { CardDocument, Sourced } from './contract.ts';
import { datasetName, NOT_KNOWN, sourcesOf } from './words.ts';

/** The card as a page in Markdown, GitHub's: every text in it is anybody's, and stays text. */
export function cardMarkdown(document: CardDocument): string {
  const { model, card, artifact, origin, signedBy, runtime, inputs, outputs } = document;
  const told = (label: string, known: Sourced<string> | undefined): readonly string[] =>
    known === undefined ? [label, NOT_KNOWN, ''] : [label, escaped(known.value), sourcesOf(known)];
  const tensors = (label: string, specs: readonly TensorSpec[]) =>
    specs.map(({ name, datatype, shape }) => [
      label,
      escaped(name),
      datatype,
      escaped(`[${shape.join(', ')}]`),
    ]);
  return `${[
    `# ${escaped(model)}`,
    table(
      ['', '', 'by'],
      [
        told('Task', card.task),
        told('Licence', card.licence),
        told('Base', card.base),
        told('Owner', card.owner),
        ...(origin === undefined
          ? []
          : [['Origin', escaped(originLine({ ...origin, datasets: [], metrics: [] })), '']]),
        ...(signedBy === undefined ? [] : [['Signed by', escaped(signedBy), 'verified when packaged']]),
      ],
    ),
    '## Data',
    card.datasets.length === 0
      ? 'Not known.'
      : table(
          ['data', 'used for', 'sha256', 'by'],
          card.datasets.map((dataset) => [
            escaped(datasetName(dataset)),
            escaped(dataset.context ?? ''),
            dataset.sha256 === undefined ? NOT_KNOWN : `\`${escaped(dataset.sha256.value)}\``,
            dataset.sha256 === undefined ? '' : sourcesOf(dataset.sha256),
          ]),
        ),
    '## Metrics',
    card.metrics.length === 0
      ? 'Not known.'
      : table(
          ['metric', 'value', 'on', 'at least', 'by'],
          card.metrics.map(({ name, value, on, min }) => [
            escaped(name),
            value === undefined ? NOT_KNOWN : escaped(String(value.value)),
            escaped(on?.value ?? ''),
            min === undefined ? '' : escaped(String(min)),
            value === undefined ? '' : sourcesOf(value),
          ]),
        ),
    '## Inputs and outputs',
    table(['', 'name', 'type', 'shape'], [...tensors('input', inputs), ...tensors('output', outputs)]),
    '## Artifact',
    table(
      ['file', 'bytes', 'sha256'],
      artifact.files.map(({ path, bytes, sha256 }) => [escaped(path), String(bytes), `\`${sha256}\``]),
    ),
    `ONNX opset ${artifact.opset === 0 ? 'none' : artifact.opset}, ${escaped(runtime.name)} ${escaped(runtime.version)}.`,
  ].join('\n\n')}\n`;
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

/**
 * Text that no reader of Markdown takes for anything else: in a cell, on one line.
 * https://spec.commonmark.org/0.31.2/#backslash-escapes
 */
const escaped = (text: string): string =>
  plainText(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[\\`*_{}[\]()#+!|~]/g, '\\$&')
    // Readers make links of these by themselves.
    .replace(/(https?|ftp):\/\//gi, '$1:&#47;&#47;')
    .replace(/www\./gi, 'www&#46;')
    .replaceAll('@', '&#64;')
    // GitHub reads a formula between two of them.
    .replaceAll('$', '&#36;');
