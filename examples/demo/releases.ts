import { performance } from 'node:perf_hooks';
import { type Client, liveOf } from './client.ts';
import type { Message, Pager } from './pager.ts';
import { failedOf } from './tally.ts';
import { type Environment, expect, seconds, type Terminal, title } from './terminal.ts';
import type { Outcome, Traffic } from './traffic.ts';

export type Scene = {
  readonly sls: Terminal['sls'];
  readonly env: Environment;
  readonly client: Client;
  readonly functionName: string;
  readonly alias: string;
  readonly traffic: Traffic;
  readonly pager: Pager;
};

const artifact = (version: number): readonly string[] => [
  '--param',
  `artifact=examples/employment/versions/${version}.onnx`,
];

/** Seconds, by our clock, that an alarm and what follows it may take: minutes of metrics pass in three. */
const PATIENCE = 90;

/** Versions 2 to 5, each with another fate, under traffic. */
export async function releases(scene: Scene): Promise<void> {
  await better(scene);
  await swapped(scene);
  await holes(scene);
  await late(scene);
}

/** Version 2 passes its steps. */
async function better({ sls, env, traffic, ...scene }: Scene): Promise<void> {
  title('8. Version 2, better: a quarter of the traffic, a half, all of it');
  const since = performance.now();
  const deployed = sls(['deploy', '--wait', ...artifact(2)], { env, brief: true });
  // Handled below; meanwhile it may fail.
  deployed.catch(() => {});
  await Promise.race([
    deployed,
    until('version 2 gets a share', async () => /version 2 with/.test(await live(scene))),
  ]);
  await sls(['models', 'status'], { env, atOnce: true });
  await deployed;
  await expectLive(scene, 'version 2');
  console.log(
    `promoted ${seconds(since)} after the deploy began, ${failedOf(by(traffic, '2'))} requests failed`,
  );
}

/** Version 3 answers wrongly, which only its cases show. */
async function swapped({ sls, env, traffic, ...scene }: Scene): Promise<void> {
  title('9. Version 3: two columns changed places in training, so it answers, wrongly');
  const [since, before] = [performance.now(), traffic.outcomes.length];
  const text = await sls(['deploy', ...artifact(3)], { env, brief: true, code: 1 });
  expect(
    /of 25 failed/.test(text) && /expected +got +difference/.test(text),
    'the deploy shows which of 25 cases failed, with what was expected and what came',
  );
  await expectLive(scene, 'version 2');
  const meanwhile = traffic.outcomes.slice(before);
  expect(
    meanwhile.every(({ version, failure }) => version === '2' && failure === undefined),
    'version 2 alone answers, and every request',
  );
  console.log(`refused in ${seconds(since)}; version 2 answered all ${meanwhile.length} requests meanwhile`);
}

/** Version 4 passes its cases, and has no answer for one in ten. */
async function holes({ sls, env, traffic, pager, ...scene }: Scene): Promise<void> {
  title('10. Version 4 passes its cases, but has no answer for those who moved within the state');
  const since = performance.now();
  await sls(['deploy', '--wait', ...artifact(4)], { env, brief: true, code: 1 });
  await expectLive(scene, 'version 2');
  await sls(['models', 'status'], { env });
  show(await comes(pager, 'a notice', ({ subject }) => /version 4 was rolled back/.test(subject)));
  console.log(
    `rolled back ${seconds(since)} after the deploy began; it failed at ${failedOf(by(traffic, '4'))} requests`,
  );
}

/** Version 5 goes bad after promotion. */
async function late({ sls, env, traffic, pager, ...scene }: Scene): Promise<void> {
  title('11. Version 5 answers for whoever asks so far; the others come once it has all traffic');
  const since = performance.now();
  await sls(['deploy', '--wait', ...artifact(5)], { env, brief: true });
  await expectLive(scene, 'version 5');
  console.log(
    `promoted ${seconds(since)} after the deploy began, ${failedOf(by(traffic, '5'))} requests failed`,
  );

  const [arrived, before] = [Date.now(), traffic.outcomes.length];
  traffic.everybody();
  console.log('\nnow people born elsewhere are asked about, too');
  const alarm = await comes(
    pager,
    'the alarm',
    ({ at, subject }) => at > arrived && /errors/.test(subject) && /ALARM/.test(subject),
  );
  console.log(`${after(alarm.at, arrived)}: ${alarm.subject}`);
  const isBack = ({ version, done }: Outcome): boolean => version === '2' && done > alarm.at;
  await until('version 2 answers again', () => traffic.outcomes.some(isBack));
  const again = traffic.outcomes.find(isBack)?.done ?? Number.NaN;
  console.log(
    `${after(again, arrived)}: version 2 answers again, beside version 5, ${((again - alarm.at) / 1000).toFixed(1)} s after the alarm`,
  );
  const back = await comes(pager, 'the rollback', ({ subject }) => /version 5 was rolled back/.test(subject));
  console.log(`${after(back.at, arrived)}: the comparison is over`);
  await expectLive(scene, 'version 2');
  show(back);
  const failed = traffic.outcomes.slice(before).filter(({ version }) => version === '5');
  console.log(`\nversion 5 failed at ${failedOf(failed)} requests since they came`);
  await sls(['models', 'status'], { env });
  const refused = await sls(['deploy', ...artifact(5)], { env, brief: true, code: 1 });
  expect(
    /What was deployed is not live: .*which was rolled back/s.test(refused),
    'nothing has changed since version 5 was deployed, and still the deploy does not end well: it is refused',
  );
  // Here, at the end: each try publishes a version, and the numbers of this story are Lambda's.
  console.log(
    '\nthe artifact of version 3 once more, and the same deploy again, of which nothing has changed',
  );
  for (const which of ['the deploy', 'the same deploy, run again,']) {
    const text = await sls(['deploy', ...artifact(3)], { env, brief: true, code: 1 });
    expect(/of 25 failed/.test(text), `${which} fails: nothing of it is live`);
  }
  await expectLive(scene, 'version 2');
}

const by = ({ outcomes }: Traffic, version: string) =>
  outcomes.filter((outcome) => outcome.version === version);

const after = (at: number, since: number): string =>
  `${((at - since) / 1000).toFixed(1).padStart(5)} s later`;

function show({ subject, text }: Message): void {
  console.log(`\nthe pager: ${subject}`);
  for (const line of text.split('\n')) console.log(`  ${line}`);
}

/** Looks ten times a second. */
async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + PATIENCE * 1000;
  while (!(await isSo())) {
    expect(Date.now() < end, `${what} within ${PATIENCE} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function comes(pager: Pager, what: string, is: (message: Message) => boolean): Promise<Message> {
  await until(what, () => pager.messages.some(is));
  const [message] = pager.messages.filter(is);
  if (message === undefined) throw new Error(`Expected: ${what}.`);
  return message;
}

const live = ({
  client,
  functionName,
  alias,
}: Pick<Scene, 'client' | 'functionName' | 'alias'>): Promise<string> => liveOf(client, functionName, alias);

async function expectLive(
  scene: Pick<Scene, 'client' | 'functionName' | 'alias'>,
  what: string,
): Promise<void> {
  const found = await live(scene);
  expect(found === what, `the alias is ${what}; it is ${found}`);
  console.log(`alias: ${found}`);
}
