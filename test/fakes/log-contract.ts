import { expect, it } from 'vitest';
import type { LogPort } from '../../core/drift/ports.ts';

/** What every implementation of the port does: the fake, and the adapter against local AWS. */
export type LogSubject = {
  readonly logs: LogPort;
  /** A time of a whole second, in milliseconds, not long ago. */
  readonly at: number;
  /** Writes events to a group of this name, made if there is none. */
  readonly put: (
    group: string,
    events: readonly { readonly at: number; readonly message: string }[],
  ) => Promise<void>;
};

async function readAll(
  logs: LogPort,
  group: string,
  from: number,
  to: number,
): Promise<{ readonly pages: number; readonly lines: readonly string[] }> {
  const lines: string[] = [];
  let pages = 0;
  for await (const page of logs.lines(group, 'drift', from, to)) {
    pages += 1;
    lines.push(...page);
  }
  return { pages, lines: lines.toSorted() };
}

export function logContract(subject: () => LogSubject): void {
  const line = (n: number): string => `{"drift":"d","n":${n}}`;

  it('lines are of a span of time that has its start and not its end', async () => {
    const { logs, at, put } = subject();
    const times = [at - 1, at, at + 500, at + 999, at + 1000];
    await put(
      'edges',
      times.map((time, n) => ({ at: time, message: line(n) })),
    );
    expect((await readAll(logs, 'edges', at, at + 1000)).lines).toEqual([line(1), line(2), line(3)]);
    expect((await readAll(logs, 'edges', at + 1000, at + 2000)).lines).toEqual([line(4)]);
    expect((await readAll(logs, 'edges', at + 2000, at + 3000)).lines).toEqual([]);
  });

  it('only JSON objects with the member, a text, are lines', async () => {
    const { logs, at, put } = subject();
    const ours = [
      '{"drift":"d"}',
      '{"a":[1],"drift":"","level":"WARN"}',
      '{"drift":"a \\"quoted\\" {x}\\n"}',
    ];
    const others = [
      'START RequestId: 1',
      '{"drift":null}',
      '{"drift":{"drift":"d"}}',
      '{"drift":["d"]}',
      '{"Drift":"d"}',
      '{"inner":{"drift":"d"}}',
      '["drift"]',
      '{"drift":"d"',
      'drift = "d"',
      '2026-01-01T00:00:00.000Z\t1\tINFO\t{"drift":"d"}',
    ];
    await put(
      'kinds',
      [...others, ...ours].map((message) => ({ at, message })),
    );
    expect((await readAll(logs, 'kinds', at, at + 1)).lines).toEqual(ours.toSorted());
  });

  it('lines come from all pages, of which some are empty', async () => {
    const { logs, at, put } = subject();
    // Far more than a page holds, ours first and last.
    const events = Array.from({ length: 45_000 }, (_, n) => ({
      at: at + Math.floor(n / 100),
      message: n < 10_500 || n >= 44_900 ? line(n) : 'something else',
    }));
    await put('many', events);
    const { pages, lines } = await readAll(logs, 'many', at, at + 1000);
    expect(pages).toBeGreaterThan(2);
    expect(new Set(lines).size).toBe(10_600);
    expect(lines).toHaveLength(10_600);
  });

  it('a group that is not there is an error, not silence', async () => {
    const { logs, at } = subject();
    await expect(readAll(logs, 'no-such-group', at, at + 1)).rejects.toThrow(/does not exist/);
  });
}
