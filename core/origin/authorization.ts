import { textIn } from '../json/fields.ts';
import { isObject } from '../json/is-object.ts';

/**
 * What a server is told of who asks, from a secret: JSON with `token`, or with `username` and `password`, or
 * a token as it is.
 *
 * @returns undefined where it is none of these; what it says is never repeated
 */
export function authorizationIn(secret: string): string | undefined {
  const given = jsonIn(secret);
  if (!isObject(given)) return bearer(secret.trim());
  const [token, username, password] = ['token', 'username', 'password'].map((key) => textIn(given, key));
  if (token !== undefined) return bearer(token);
  if (username === undefined || password === undefined) return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** Anything else could end the header, and begin another one. */
const bearer = (token: string): string | undefined =>
  /^[\x21-\x7e]+$/.test(token) ? `Bearer ${token}` : undefined;

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
