import type { Release } from '../../../core/release/document/contract.ts';

/**
 * What CloudWatch's alarms of drift see of the version that is live. They watch the signals that the
 * template's version publishes, in the sums that it publishes; after a rollback, or before the first deploy
 * by a plugin that scales sums, the live one may have others. The monitor counts all that any version scores.
 *
 * @returns undefined where they see all of it
 */
export function alarmedWords({ settings, stable }: Pick<Release, 'settings' | 'stable'>): string | undefined {
  const watched = settings.drift;
  if (watched === undefined || stable === undefined) return undefined;
  const { version, drift: published } = stable;
  if (published === undefined)
    return watched.length === 0
      ? undefined
      : `CloudWatch's alarms do not see version ${version}: it was published without \`drift\`, or by an earlier version of the plugin (the monitor sees it then). They will see the next version that is released.`;
  const seen = published.filter((name) => watched.includes(name));
  if (seen.length === published.length && seen.length === watched.length) return undefined;
  return `CloudWatch's alarms see ${seen.length === 0 ? 'nothing' : `only ${named(seen)}`} of version ${version}, since the template declares other signals; the monitor sees all. They will see the next version that is released.`;
}

/** Names that are listed. */
const MOST = 8;
const named = (names: readonly string[]): string =>
  names.length > MOST
    ? `${names.slice(0, MOST).join(', ')} and ${names.length - MOST} more`
    : names.join(', ');
