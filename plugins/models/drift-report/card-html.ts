import { recordedCard } from '../../../core/card/recorded.ts';
import { cardLines, trainingLine } from '../../../core/card/words.ts';
import { escapeHtml } from '../../../core/catalog/escape.ts';
import { originLine } from '../../../core/origin/origin.ts';
import type { VersionRecord } from '../../../core/release/document/history-contract.ts';
import { scrolled } from '../page/scrolled.ts';

/** What is told of the version that is live, each with who says it; nothing where nobody says anything. */
export function cardPart(model: string, live: VersionRecord | undefined): string {
  const card = live && recordedCard(live);
  if (live === undefined || card === undefined) return '';
  const { version, origin } = live;
  const rows = [
    ...(origin === undefined ? [] : [['origin', originLine(origin)] as const]),
    ...cardLines(card),
    ...(card.datasets.length > 0 ? [] : [['data', trainingLine(card)] as const]),
  ].map(
    ([label, text]) =>
      `<tr><th scope="row">${escapeHtml(label)}</th><td class="text">${escapeHtml(text)}</td></tr>`,
  );
  const table = `<table><tbody>${rows.join('')}</tbody></table>`;
  return `<h3>Card of version ${escapeHtml(version)}</h3>${scrolled(`Card of ${model}`, table)}
`;
}
