/** A password that is shorter may be a part of any word. */
const TELLING = 4;

/**
 * Whether a text, for example an answer, holds what headers say of who asks: as it is sent, or decoded.
 *
 * @param others secrets that were sent otherwise
 */
export function repeatsSecret(
  text: string,
  headers: Readonly<Record<string, string>>,
  others: readonly string[] = [],
): boolean {
  const bare = spaced(text);
  return [headers.authorization, headers['x-amz-security-token']]
    .flatMap((sent) => (sent === undefined ? [] : secretsIn(sent)))
    .concat(others.filter((secret) => secret.length >= TELLING))
    .some((secret) => bare.includes(spaced(secret)));
}

const spaced = (text: string): string => text.replace(/\s+/g, ' ');

/** Credentials without their scheme; of a name and a password also the password by itself. */
function secretsIn(sent: string): readonly string[] {
  const credentials = sent.replace(/^\S+ /, '');
  if (!/^basic /i.test(sent)) return [credentials];
  const [, password = ''] = /^[^:]*:(.*)$/s.exec(Buffer.from(credentials, 'base64').toString()) ?? [];
  return password.length < TELLING ? [credentials] : [credentials, password];
}
