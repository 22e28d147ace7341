import { paginateFilterLogEvents } from '@aws-sdk/client-cloudwatch-logs';
import type { Clients } from './clients.ts';

/** All lines of a function's log since a time, oldest first. */
export async function linesOf(
  { logs: client }: Clients,
  functionName: string,
  since: number,
): Promise<readonly { readonly at: number; readonly text: string }[]> {
  const lines: { at: number; text: string }[] = [];
  const pages = paginateFilterLogEvents(
    { client },
    { logGroupName: `/aws/lambda/${functionName}`, startTime: since },
  );
  for await (const page of pages)
    for (const { timestamp = 0, message = '' } of page.events ?? [])
      lines.push({ at: timestamp, text: message });
  return lines;
}

/** Fields of a line that is a JSON object; none of any other. */
export function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  // Where the runtime puts time, id and level before it.
  const start = text.indexOf('{');
  if (start < 0) return {};
  try {
    return JSON.parse(text.slice(start)) as Record<string, unknown>;
  } catch {
    return {};
  }
}
