import { describe, expect, it } from 'vitest';
import type { DriftWindow, Signal } from '../../../../../core/drift/contract.ts';
import { readLine } from '../../../../../core/drift/lines.ts';
import { metricsOf } from '../../../../../core/drift/monitor.ts';
import { createSums } from '../../../../../core/drift/sums.ts';
import { wordsOf } from '../../../../../core/drift/text.ts';
import { judgeSignals } from '../../../../../core/drift/window-judge.ts';
import { driftText } from '../../../../../plugins/models/drift-report/drift-text.ts';
import type { SeenWindows } from '../../../../../plugins/models/drift-report/finding.ts';
import { reportHtml } from '../../../../../plugins/models/drift-report/report-html.ts';
import { MOST, windowsIn } from '../../../../../plugins/models/drift-report/windows.ts';
import { fakeObjects } from '../../../../fakes/objects.ts';
import {
  baselineOf,
  category,
  constant,
  digestOf,
  lineOf,
  numeric,
  type Row,
} from '../../../core/drift/scene.ts';

const HOUR = 3_600_000;
const START = Date.parse('2026-11-25T10:00:00Z');
const iso = (hour: number): string => new Date(START + hour * HOUR).toISOString();

/** A window as the monitor would keep it: judged of requests of one row each. */
function windowOf(
  signals: readonly Signal[],
  hour: number,
  rows: number,
  row: (n: number) => Row,
): DriftWindow {
  const baseline = baselineOf(signals);
  const digest = digestOf(baseline);
  const adder = createSums(digest, baseline);
  for (let n = 0; n < rows; n += 1) {
    const line = readLine(lineOf(baseline, digest, row(n)));
    if (line !== undefined) adder.add(line);
  }
  return {
    schema: 1,
    model: 'churn',
    baseline: rows === 0 ? '' : digest,
    from: iso(hour),
    to: iso(hour + 1),
    requests: rows,
    rows,
    signals: rows === 0 ? [] : judgeSignals(adder.sums(), baseline, { q: 0.01, effect: 0.1 }),
  };
}
const uniform = (n: number): number => ((n + 0.5) * 0.618_033_988_75) % 1;
const seen = (...windows: readonly DriftWindow[]): SeenWindows => ({ windows, cut: false });
const text = (found: SeenWindows): string => driftText('churn', found, START + 10 * HOUR);
const page = (found: SeenWindows, signals: readonly Signal[] = [numeric('age')]): string =>
  reportHtml({ service: 's', stage: 'dev', region: 'eu-central-1', from: START, to: START + 10 * HOUR }, [
    { model: 'churn', functionName: 'f', releases: [], seen: found, baseline: baselineOf(signals) },
  ]);
const plainText = (html: string): string =>
  html
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&#96;', '`')
    .replaceAll(/\s+/g, ' ');

const age = [numeric('age')];
const drifted = (hour: number) => windowOf(age, hour, 400, (n) => ({ age: uniform(n) ** 3 }));
const quiet = (hour: number) => windowOf(age, hour, 400, (n) => ({ age: uniform(n) }));
const few = (hour: number) => windowOf(age, hour, 12, (n) => ({ age: uniform(n) }));
const empty = (hour: number) => windowOf(age, hour, 0, () => ({}));

it('one request, and one row, are told as one', () => {
  const window = { ...drifted(0), requests: 1, estimated: 40 };
  expect(text(seen(window))).toContain('400 rows in 1 request, scored of about 40');
  expect(plainText(page(seen(window)))).toContain('400 rows in 1 request, scored of about 40');
  expect(text(seen({ ...window, rows: 1 }))).toContain(': 1 row in 1 request,');
  const traffic = {
    ...{ times: [START], period: 3600, requests: [1], errors: [0], rejected: [0] },
    ...{ p50: [5], p95: [5], p99: [5] },
  };
  const asked = reportHtml({ service: 's', stage: 'dev', region: 'r', from: START, to: START + HOUR }, [
    { model: 'churn', functionName: 'f', releases: [], traffic },
  ]);
  expect(asked).toContain('1 request answered, 0 of them failed (0 %), 0 refused.');
});

it('the line over time stops where a window is missing: nobody saw what it would show', () => {
  const line = (found: SeenWindows): string =>
    /Change against.*?<path d="([^"]*)"/s.exec(page(found))?.[1] ?? '';
  expect(line(seen(quiet(0), drifted(1), quiet(2)))).toMatch(/^M[\d. ]+L[\d. ]+L[\d. ]+$/);
  expect(line(seen(quiet(0), drifted(1), quiet(4), quiet(5)))).toMatch(/^M[\d. ]+L[\d. ]+M[\d. ]+L[\d. ]+$/);
});

describe('drift that an alarm was about', () => {
  it('is shown where only empty and small windows came after it', () => {
    const found = seen(drifted(0), drifted(1), few(2), empty(3));
    for (const one of [text(found), plainText(page(found))]) {
      expect(one).toContain('"age" is not as in the reference data.');
      expect(one).toContain('2026-11-25 11:00–12:00 UTC');
      expect(one).toMatch(/2 windows until 2026-11-25 14:00 UTC: at most 12 rows each, too few/);
      expect(one).toContain('"age" in 1 window before, last 2026-11-25 10:00–11:00 UTC');
      expect(one).toContain('Nothing was rolled back');
    }
    expect(text(found)).toMatch(/! "age" +−\d\.\d\d σ/);
    expect(page(found)).toContain('<figcaption>age: drifted</figcaption>');
    expect(page(found)).toContain('<tr class="drifted">');
  });

  it('is listed where the newest window is like the reference data again', () => {
    const found = seen(drifted(0), drifted(1), quiet(2));
    for (const one of [text(found), plainText(page(found))]) {
      expect(one).toMatch(/like the reference data \(1 signal\); windows before were not\./i);
      expect(one).toContain('"age" in 2 windows before, last 2026-11-25 11:00–12:00 UTC');
      expect(one).toContain('Nothing was rolled back');
    }
  });

  it('is told apart from that against reference data of before', () => {
    const other = { ...drifted(0), baseline: 'e'.repeat(64) };
    expect(text(seen(other, quiet(1)))).toContain('11:00 UTC, against other reference data');
    expect(text(seen(drifted(0), quiet(1)))).not.toContain('against other');
  });
});

describe('where nothing could be judged', () => {
  it.each([
    ['nothing was scored in the last window.', [empty(0), empty(1)]],
    ['12 rows are too few to say anything (100).', [few(0), few(1)]],
  ])('both say %s', (words, windows) => {
    expect(text(seen(...windows)).toLowerCase()).toContain(words.toLowerCase());
    expect(plainText(page(seen(...windows))).toLowerCase()).toContain(words.toLowerCase());
    expect(page(seen(...windows))).not.toMatch(/like the reference data/i);
  });

  it('no requests are told of a window without rows: they may have failed, or not been chosen', () => {
    for (const found of [seen(empty(0), empty(1)), seen(quiet(0), empty(1), empty(2))])
      for (const one of [text(found), plainText(page(found))]) {
        expect(one).toMatch(/nothing was scored/i);
        expect(one).not.toMatch(/no requests/i);
      }
  });

  it('a constant that stayed one was judged', () => {
    const window = windowOf([constant('seven')], 0, 400, () => ({ seven: 7 }));
    expect(text(seen(window))).toContain('like the reference data (1 signal).');
  });
});

describe('drift of one window', () => {
  const words = 'That is one window; it takes two in a row to be drift.';

  it('is told as that, and advises nothing', () => {
    for (const found of [
      seen(quiet(0), drifted(1)),
      seen(few(0), drifted(1)),
      seen(quiet(0), drifted(1), quiet(2), drifted(3)),
    ])
      for (const one of [text(found), plainText(page(found))]) {
        expect(one).toContain(`"age" is not as in the reference data. ${words}`);
        expect(one).not.toContain('Nothing was rolled back');
      }
    for (const one of [
      text(seen(quiet(0), drifted(1), quiet(2))),
      plainText(page(seen(drifted(0), quiet(1)))),
    ])
      expect(one).toContain('"age" in 1 window before');
    expect(text(seen(quiet(0), drifted(1), quiet(2)))).not.toContain('Nothing was rolled back');
  });

  it('against other reference data than that before it is of one window', () => {
    const other = { ...drifted(0), baseline: 'e'.repeat(64) };
    expect(text(seen(other, drifted(1)))).toContain(words);
  });

  it('is taken for lasting where nobody can tell: the window before is not among those that are shown', () => {
    for (const found of [seen(drifted(3)), seen(drifted(0), drifted(2)), seen(drifted(0), drifted(1))]) {
      expect(text(found)).not.toContain(words);
      expect(text(found)).toContain('Nothing was rolled back');
    }
  });
});

describe('a model whose answers alone are watched', () => {
  const score = [numeric('score', { of: 'output', tensor: 'y', value: 'prediction' })];
  // Requests of 100 rows each.
  const asked = (hour: number, requests: number): DriftWindow => ({
    ...windowOf(score, hour, requests, () => ({ score: 0.5 })),
    rows: 100 * requests,
  });

  it('needs requests, not rows', () => {
    const found = seen(asked(0, 40));
    const words = '40 requests are too few to say anything (100): answers count by request.';
    for (const one of [text(found), plainText(page(found, score))]) expect(one).toContain(words);
    const later = seen(asked(0, 400), asked(1, 40), asked(2, 30));
    for (const one of [text(later), plainText(page(later, score))])
      expect(one).toContain('at most 40 requests each, too few to say anything (100)');
  });
});

describe('windows that are not there', () => {
  const HOURLY = { length: 3600 };
  const at = (hour: number) => ({ from: START + hour * HOUR, to: START + (hour + 1) * HOUR });
  const now = START + 10 * HOUR;

  it('are told as late, beside the newest one, and not before the monitor had its time', () => {
    const words = (hour: number, length = HOURLY) => {
      const found = { ...seen(quiet(hour)), newest: at(hour), ...length };
      return [driftText('churn', found, now), plainText(page(found))];
    };
    for (const one of words(3)) {
      expect(one).toMatch(
        /the monitor has judged no window after 2026-11-25 14:00 UTC, and one ended 5 h ago:/i,
      );
      expect(one).toContain('`sls logs -f models-drift` shows why');
      expect(one).toContain('ike the reference data (1 signal)');
    }
    for (const one of [...words(8), ...words(9), ...words(3, { length: 86_400 })])
      expect(one).not.toMatch(/has judged no window after/i);
    const prod = { ...seen(quiet(3)), newest: at(3), ...HOURLY, stage: 'prod' };
    expect(driftText('churn', prod, now)).toContain('`sls logs -f models-drift --stage prod` shows why');
    const late = { ...seen(quiet(8)), newest: at(8), ...HOURLY };
    expect(driftText('churn', late, now + 19 * 60_000)).not.toContain('has judged no window');
    expect(driftText('churn', late, now + 20 * 60_000)).toContain('has judged no window');
  });

  it('in the time in question are not all that is known', async () => {
    const { port, set } = fakeObjects();
    const read = (since: number) => windowsIn(port, 'scope/drift/churn/', since);
    expect(text(await read(START))).toContain(
      'churn: nothing is known yet. A window is looked at two to seven',
    );
    for (const hour of [0, 1])
      set(`scope/drift/churn/2026-11-25T1${hour}0000Z-3600.json`, JSON.stringify(quiet(hour)));
    const found = { ...(await read(START + 5 * HOUR)), ...HOURLY };
    expect(found).toMatchObject({ windows: [], newest: at(1) });
    for (const one of [driftText('churn', found, now), plainText(page(found))]) {
      expect(one).toMatch(
        /no window that was judged ended in this time; the newest one ended 8 h ago, at 2026-11-25 12:00 UTC\. `--since` goes further back\./i,
      );
      expect(one).toMatch(
        /the monitor has judged no window after 2026-11-25 12:00 UTC, and one ended 7 h ago/i,
      );
      expect(one).not.toContain('nothing is known yet');
    }
    expect(text(await read(START))).toContain('like the reference data');
  });
});

describe('drift by missing values', () => {
  const fifth = windowOf(age, 0, 1000, (n) => ({ age: n % 5 === 0 ? null : uniform(n) }));
  const none = windowOf(age, 0, 400, () => ({ age: null }));

  it('says the share, with its own size and p', () => {
    expect(fifth.signals[0]).toMatchObject({ drifted: true, missing: { share: 0.2, before: 0 } });
    for (const one of [text(seen(fifth)), plainText(page(seen(fifth)))])
      expect(one).toContain('missing in 20 % of rows, 0 % in the reference');
    const row = text(seen(fifth))
      .split('\n')
      .find((line) => line.includes('! "age"'));
    expect(row).toMatch(/[1-9]\.\d\d σ|0\.[1-9]\d σ/);
    expect(row).toMatch(/\de-\d+| 0 /);
    expect(row).not.toContain('1.0000');
  });

  it('of a column without any value is drift, not too few rows, and has a DriftMax', () => {
    expect(text(seen(none))).toContain('"age" is not as in the reference data.');
    expect(text(seen(none))).toContain('missing in 100 % of rows, 0 % in the reference');
    expect(metricsOf(none, baselineOf(age), undefined).DriftMax).toBeGreaterThan(1);
  });

  it('is judged so from a document that has no share of them yet', () => {
    const old = { ...none, signals: none.signals.map(({ missing: _, ...rest }) => rest) };
    expect(text(seen(old, empty(1)))).toContain('"age" is not as in the reference data.');
  });
});

describe('a p', () => {
  const plan = [category('plan')];
  const unseen = windowOf(plan, 0, 400, (n) => (n % 40 === 0 ? { plan: 'z' } : {}));

  it('is the one that counted, that of unseen values included, on the page, in the terminal and in the log', () => {
    const [signal] = unseen.signals;
    const counted = 2 * Math.min(signal?.chi?.p ?? 1, signal?.unseen?.p ?? 1);
    expect(signal?.unseen).toMatchObject({ share: 0.025 });
    expect(signal?.unseen?.p).toBeLessThan(signal?.chi?.p ?? 0);
    const shown = counted.toExponential(0);
    expect(text(seen(unseen))).toContain(` ${shown} `);
    expect(page(seen(unseen), plan)).toContain(`<td>${shown}</td>`);
    expect(wordsOf(unseen, baselineOf(plan))).toContain(`(p ${counted.toPrecision(1)}, `);
    expect(text(seen(unseen))).toContain('3 % of them unseen values');
  });
});

describe('a label that is not to be trusted', () => {
  it('reaches the terminal quoted, on one line', () => {
    const hostile = 'a\u001b[2Jge\nmodel: all is well\u202e';
    const signals = [numeric(hostile)];
    const window = (hour: number) => windowOf(signals, hour, 400, (n) => ({ [hostile]: uniform(n) ** 3 }));
    const shown = text(seen(window(0), window(1)));
    expect(shown).toContain('"a\uFFFD[2Jge\uFFFDmodel: all is well\uFFFD"');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
    expect(shown).not.toMatch(/\u001b|\u202e|^model:/m);
  });
});

describe('windows of the registry', () => {
  const FOLDER = 'scope/drift/churn/';
  const minutes = (n: number): string => new Date(START + n * 300_000).toISOString();
  const keep = (set: (key: string, text: string) => void, n: number, changes: object = {}): void =>
    set(
      `${FOLDER}${minutes(n).slice(0, 19).replaceAll(':', '')}Z.json`,
      JSON.stringify({ ...empty(0), from: minutes(n), to: minutes(n + 1), ...changes }),
    );

  it('are the newest 1,000, and that others are left out is told', async () => {
    const { port, set } = fakeObjects();
    for (let n = 0; n < MOST + 5; n += 1) keep(set, n);
    const found = await windowsIn(port, FOLDER, START);
    expect(found.windows).toHaveLength(MOST);
    expect(found.cut).toBe(true);
    const words = 'newest 1,000 windows, from 2026-11-25 10:25 UTC; older ones are left out';
    expect(text(found)).toContain(words);
    expect(plainText(page(found))).toContain(words);
  });

  it('are not cut where the time in question ends before', async () => {
    const { port, set } = fakeObjects();
    for (let n = 0; n < MOST + 5; n += 1) keep(set, n);
    const found = await windowsIn(port, FOLDER, Date.parse(minutes(MOST)));
    expect(found).toMatchObject({ cut: false, windows: { length: 5 } });
    expect(text(found)).not.toContain('left out');
  });

  it('of which names tell the length are read only where they are asked for', async () => {
    const { port, set } = fakeObjects();
    const asked: string[] = [];
    const reading = {
      ...port,
      get: (key: string) => {
        asked.push(key);
        return port.get(key);
      },
    };
    for (let n = 0; n < 600; n += 1)
      set(
        `${FOLDER}${minutes(n).slice(0, 19).replaceAll(':', '')}Z-300.json`,
        JSON.stringify({ ...empty(0), from: minutes(n), to: minutes(n + 1) }),
      );
    const found = await windowsIn(reading, FOLDER, Date.parse(minutes(590)));
    expect(found).toMatchObject({ cut: false, windows: { length: 10 } });
    // And the one before them, by which the first is drift or not.
    expect(asked).toHaveLength(11);
  });

  it('the oldest one is told by the window before, which nobody asked for', async () => {
    const words = 'That is one window; it takes two in a row to be drift.';
    const of = async (...windows: readonly DriftWindow[]): Promise<string> => {
      const { port, set } = fakeObjects();
      windows.forEach((window, hour) => {
        set(`${FOLDER}2026-11-25T1${hour}0000Z-3600.json`, JSON.stringify(window));
      });
      const found = await windowsIn(port, FOLDER, START + windows.length * HOUR - 1);
      expect(found.windows).toHaveLength(1);
      return text(found);
    };
    expect(await of(quiet(0), drifted(1))).toContain(words);
    expect(await of(quiet(0), drifted(1))).not.toContain('Nothing was rolled back');
    expect(await of(drifted(0), drifted(1))).not.toContain(words);
    expect(await of(drifted(0), drifted(1))).toContain('Nothing was rolled back');
    expect(await of(drifted(0), drifted(1))).not.toContain('before, last');
    expect(await of(drifted(0))).not.toContain(words);
  });

  it('that two monitors kept under both names are one', async () => {
    const { port, set } = fakeObjects();
    keep(set, 0);
    set(`${FOLDER}2026-11-25T100000Z-300.json`, JSON.stringify({ ...empty(0), to: minutes(1) }));
    expect((await windowsIn(port, FOLDER, START)).windows).toHaveLength(1);
  });

  it('are read on past a document of another schema, or none at all', async () => {
    const { port, set } = fakeObjects();
    for (let n = 0; n < 40; n += 1) keep(set, n, n === 30 ? { schema: 2 } : {});
    set(`${FOLDER}2026-11-25T130500Z.json`, 'no JSON');
    const found = await windowsIn(port, FOLDER, START);
    expect(found.windows).toHaveLength(38);
    expect(found.damaged).toEqual([`${FOLDER}2026-11-25T130500Z.json`]);
  });

  it('in whose documents somebody wrote are told of, in words and on the page', async () => {
    const { port, set } = fakeObjects();
    const written: readonly object[] = [
      { signals: [null] },
      { signals: [{ name: 'age', drifted: true }] },
      { rows: 'many' },
      { from: 'then' },
      { baseline: undefined },
    ];
    keep(set, 0);
    written.forEach((changes, n) => {
      keep(set, n + 1);
      set(`${FOLDER}2026-11-25T1${n}0100Z-300.json`, JSON.stringify({ ...empty(0), ...changes }));
    });
    const found = await windowsIn(port, FOLDER, START);
    expect(found.damaged).toHaveLength(written.length);
    const words = `documents of 5 windows are damaged, and left out: ${FOLDER}2026-11-25T100100Z-300.json is one`;
    expect(text(found)).toContain(words);
    expect(plainText(page(found))).toContain(words);
    const none = { windows: [], cut: false, damaged: ['a'] };
    for (const one of [text(none), plainText(page(none))])
      expect(one).toMatch(/the document of a window is damaged, and left out: a/i);
  });
});

it('a page draws what is below a constant, and what is above it', () => {
  const fee = { ...constant('fee'), edges: [7 - 2 ** -50, 7], counts: [0, 10_000, 0] };
  const html = page(seen(windowOf([fee], 0, 400, (n) => ({ fee: n % 4 === 0 ? 6 : 7 }))), [fee]);
  expect(html).toContain('&lt; 7: live 25 %');
  expect(html).toContain('>7: live 75 %');
  expect(html).toContain('&gt; 7: live 0 %');
  expect(plainText(html)).toContain('fee drifted');
});

it('a page tells edges of cells apart that differ in their fourth digit or later', () => {
  const years = { ...constant('year'), sd: 0.3, edges: [1998, 2001, 2003], counts: [100, 100, 100, 100] };
  const since = { ...constant('since'), edges: [2023 - 2 ** -42, 2023], counts: [0, 400, 0] };
  const far = { ...constant('far'), sd: 0.3, edges: [-1.00002e6, 0.5, 1.00001e6], counts: [1, 1, 1, 1] };
  const all = [years, since, far];
  const live = windowOf(all, 0, 400, () => ({ year: 2002, since: 2024, far: 0 }));
  const html = page(seen(live), all);
  for (const cell of ['≤ 1998', '≤ 2001', '≤ 2003', '&gt; 2003', '&lt; 2023', '&gt; 2023'])
    expect(html).toContain(`<title>${cell}: live `);
  expect(html).toContain('<title>&gt; 2023: live 100 %');
  // What is far apart has three digits.
  for (const cell of ['≤ -1000000', '≤ 0.5', '≤ 1000k']) expect(html).toContain(`<title>${cell}: live `);
});
