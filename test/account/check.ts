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

/**
 * What a check that failed has shown: nothing where AWS would not let us, else that something is other than
 * expected.
 */
export function failed(error: unknown): Finding {
  const { name = '', message = String(error), cause } = error instanceof Error ? error : {};
  const why = cause instanceof Error ? `${message}: ${cause.message}` : message;
  const text = why.replace(/\s+/g, ' ').trim().slice(0, 600);
  return DENIED.test(`${name} ${message}`)
    ? { verdict: 'not run', seen: `AWS refused it to the caller: ${text}` }
    : { verdict: 'other', seen: `It failed: ${text}` };
}

export const finding = (isShown: boolean, seen: string): Finding => ({
  verdict: isShown ? 'shown' : 'other',
  seen,
});
