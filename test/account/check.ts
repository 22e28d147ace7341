import { runIn } from './names.ts';
import type { Use } from './prices.ts';
import type { Scene } from './scene.ts';

/** `shown`: as AWS's page says; `other`: not so, or it failed; `not run`: nothing was learned. */
type Verdict = 'shown' | 'other' | 'not run';

export type Finding = { readonly verdict: Verdict; readonly seen: string };

/** What is open about AWS, as docs/not-yet-on-aws.md has it: one check a bullet. */
type Line = {
  /** A word for `--only`. */
  readonly name: string;
  /** How the bullet begins. */
  readonly bullet: string;
  /** What AWS's page says, in our words. */
  readonly says: string;
  readonly page: string;
};

export type RunCheck = Line & {
  /** It is given up after so many minutes. */
  readonly minutes: number;
  /** The most that it uses, beside what stands there anyway. */
  readonly use: Use;
  readonly run: (scene: Scene) => Promise<Finding>;
};

/** Not run by this program: why, and what a person would do. */
export type OpenCheck = Line & { readonly notRun: string };

export type Check = RunCheck | OpenCheck;

export const isRun = (check: Check): check is RunCheck => 'run' in check;

/** Errors by which AWS says that the caller may not. */
const DENIED = /AccessDenied|not authorized to perform|UnauthorizedOperation|AuthorizationError/;

/** Whose denial it is: a role of the service itself is what is looked at, and not the caller. */
const ROLE = /assumed-role\/([\w+=,.@-]+)/g;
const isOfService = (text: string): boolean =>
  [...text.matchAll(ROLE)].some(([, role = '']) => runIn(role) !== undefined);

/** Nothing was asked: credentials that ended in mid-run, or no network. */
const UNASKED =
  /ExpiredToken|TokenRefreshRequired|RequestExpired|InvalidClientTokenId|UnrecognizedClient|CredentialsProviderError|TokenProviderError|ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH/;

/**
 * What a check that failed has shown: nothing where AWS would not let us or was not reached, else that
 * something is other than expected.
 */
export function failed(error: unknown): Finding {
  const { name = '', message = String(error), cause } = error instanceof Error ? error : {};
  const why = cause instanceof Error ? `${message}: ${cause.message}` : message;
  const text = why.replace(/\s+/g, ' ').trim().slice(0, 600);
  const whole = `${name} ${why}`;
  if (UNASKED.test(whole)) return { verdict: 'not run', seen: `AWS was not asked: ${text}` };
  return DENIED.test(whole) && !isOfService(whole)
    ? { verdict: 'not run', seen: `AWS refused it to the caller: ${text}` }
    : { verdict: 'other', seen: `It failed: ${text}` };
}

export const finding = (isShown: boolean, seen: string): Finding => ({
  verdict: isShown ? 'shown' : 'other',
  seen,
});
