import type { Pager } from './pager.ts';
import type { Person } from './people.ts';
import { type Environment, expect, type Terminal, title } from './terminal.ts';
import type { Traffic } from './traffic.ts';

export type DriftScene = {
  readonly sls: Terminal['sls'];
  readonly env: Environment;
  readonly traffic: Traffic;
  readonly pager: Pager;
  /** People of the years after those that the model was trained on. */
  readonly later: readonly Person[];
};

/** Years. */
const YOUNG = 35;

/** Seconds, by our clock: two windows of fifteen, and what an alarm takes. */
const PATIENCE = 150;

type Window = {
  readonly from: string;
  readonly rows: number;
  readonly signals: readonly { readonly label: string; readonly drifted: boolean }[];
};

/** The later years are like the reference; a subgroup of ages is not, which is told and rolls nothing back. */
export async function drift(scene: DriftScene): Promise<void> {
  await quiet(scene);
  await shift(scene);
}

async function quiet({ sls, env, traffic, later }: DriftScene): Promise<void> {
  title('12. Three years go by: people of 2016 to 2018 are asked about');
  const before = await windows(sls, env);
  console.log(
    `while only those born in the country were asked about, these had drifted, window after window: ${twice(before).join(', ') || 'none'}`,
  );
  traffic.about(later);
  const known = before.length;
  let found = before;
  await until('a window of the later years that is like the reference, and no alarm', async () => {
    found = await windows(sls, env);
    const fresh = found.slice(known + 1);
    return fresh.length >= 1 && driftedIn(fresh.at(-1)).length === 0 && !(await isOn(sls, env));
  });
  await sls(['models', 'drift', '--since', '2h'], { env });
}

async function shift({ sls, env, traffic, pager, later }: DriftScene): Promise<void> {
  title(`13. Only people under ${YOUNG} are asked about`);
  const began = Date.now();
  traffic.about(later.filter(({ AGEP = 0 }) => AGEP < YOUNG));
  await until('the alarm of drift', async () =>
    pager.messages.some(({ at, subject }) => at > began && /ALARM/.test(subject) && /-drift"/.test(subject)),
  );
  const message = pager.messages.find(
    ({ at, subject }) => at > began && /ALARM/.test(subject) && /-drift"/.test(subject),
  );
  console.log(`${(((message?.at ?? began) - began) / 1000).toFixed(1)} s later: ${message?.subject}`);
  const found = await windows(sls, env);
  expect(driftedIn(found.at(-1)).includes('AGEP'), 'age is named');
  await sls(['models', 'drift', '--since', '2h'], { env });
  const text = await sls(['models', 'status', '--json'], { env, silent: true });
  expect(/"version": ?"2"/.test(text), 'version 2 is still live: another one would see the same people');
}

/** What drifted in two windows in a row. */
const twice = (found: readonly Window[]): readonly string[] => [
  ...new Set(
    found.flatMap((window, i) =>
      driftedIn(window).filter((label) => driftedIn(found[i - 1]).includes(label)),
    ),
  ),
];

const driftedIn = (window: Window | undefined): readonly string[] =>
  window?.signals.filter((signal) => signal.drifted).map(({ label }) => label) ?? [];

async function windows(sls: Terminal['sls'], env: Environment): Promise<readonly Window[]> {
  const text = await sls(['models', 'drift', '--since', '4h', '--json'], { env, silent: true });
  const found: { readonly employment: readonly Window[] } = JSON.parse(text.slice(text.indexOf('{')));
  return found.employment.filter(({ rows }) => rows > 0);
}

async function isOn(sls: Terminal['sls'], env: Environment): Promise<boolean> {
  return /employment-drift"/.test(await sls(['models', 'status', '--json'], { env, silent: true }));
}

/** Looks every two seconds. */
async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + PATIENCE * 1000;
  while (!(await isSo())) {
    expect(Date.now() < end, `${what} within ${PATIENCE} s`);
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}
