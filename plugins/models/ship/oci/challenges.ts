/** One way in which a registry asks who somebody is. */
export type Challenge = { readonly scheme: string; readonly parameters: Readonly<Record<string, string>> };

/** Parts between commas, which a quoted text may have, too; one without an end goes to the end. */
const PARTS = /(?:[^,"]|"(?:[^"\\]|\\.)*(?:"|$))+/g;
/** A word begins a challenge, unless it is the name of a parameter. */
const SCHEME = /^([\w!#$%&'*+.^`|~-]+)(?=\s+[^\s=]|$)/;
const PARAMETERS = /([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g;

/**
 * Reads the list of ways in `WWW-Authenticate`, each with parameters of its own.
 * https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
 *
 * @param header several of them as one list, which is how Node tells them
 */
export function challengesOf(header: string | undefined): readonly Challenge[] {
  const found: { readonly scheme: string; readonly parameters: Record<string, string> }[] = [];
  for (const [part] of (header ?? '').matchAll(PARTS)) {
    const text = part.trim();
    const scheme = SCHEME.exec(text)?.[1];
    if (scheme !== undefined) found.push({ scheme: scheme.toLowerCase(), parameters: {} });
    const parameters = found.at(-1)?.parameters;
    if (parameters === undefined) continue;
    for (const [, name = '', quoted, plain = ''] of text.matchAll(PARAMETERS))
      parameters[name.toLowerCase()] = quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1');
  }
  return found;
}
