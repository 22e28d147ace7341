const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
  // Browsers turn a bare carriage return into a line feed, and a name must come back as it was.
  '\r': '&#13;',
};

/**
 * @returns text that is only text in an element and in a quoted attribute: names in a model file are
 * anybody’s.
 */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`\r]/g, (character) => ENTITIES[character] ?? '');
}
