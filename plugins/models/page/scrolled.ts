import { escapeHtml } from '../../../core/catalog/escape.ts';

/**
 * A table that may be wider than the page: by the keyboard only what can have the focus is scrolled.
 *
 * @param label for who does not see it
 */
export const scrolled = (label: string, table: string): string =>
  `<div class="scroll" tabindex="0" role="region" aria-label="${escapeHtml(label)}">${table}</div>`;
