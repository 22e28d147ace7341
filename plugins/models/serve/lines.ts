/**
 * A line that an endpoint wrote, for the person who watches: metrics, drift, audit and news that are for
 * CloudWatch are left out, so that what a transform prints and what was refused can be seen. Pure.
 */
export function spokenLine(line: string): string | undefined {
  if (line.trim() === '') return undefined;
  const entry = objectOf(line);
  if (entry === undefined) return line;
  if ('_aws' in entry || ('drift' in entry && 'cells' in entry) || ('audit' in entry && 'outcome' in entry))
    return undefined;
  const { level, message, reason } = entry;
  if (typeof level !== 'string' || typeof message !== 'string') return line;
  if (level !== 'WARN' && level !== 'ERROR' && level !== 'CRITICAL') return undefined;
  return typeof reason === 'string' ? `${message} ${reason}` : message;
}

function objectOf(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
