import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { performance } from 'node:perf_hooks';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { advise } from './advise.ts';
import { askOverHttp, readKnown } from './ask.ts';
import { batch } from './batch.ts';
import { bench } from './bench.ts';
import { clientFor } from './client.ts';
import { drift } from './drift.ts';
import { startPager } from './pager.ts';
import { readPeople } from './people.ts';
import { releases } from './releases.ts';
import { tally } from './tally.ts';
import { count, seconds, type Terminal, title } from './terminal.ts';
import { startTraffic } from './traffic.ts';

/** Seconds of the local AWS's clock in one of ours: a minute of metrics takes three seconds, a release one minute. */
const SPEED = 20;

/** Requests a second, by our clock. */
const RATE = 40;

const FUNCTION = 'employment-dev-employment';
const ALIAS = 'live';
const TOPIC = 'arn:aws:sns:us-east-1:000000000000:employment-dev-models-alerts';

/**
 * The whole story, from an ONNX file to a rollback, on a local AWS.
 *
 * @param root the folder of serverless.yml
 * @param cleanup gets what must be ended, in the order of its start
 */
export async function story(
  root: string,
  terminal: Terminal,
  cleanup: (() => Promise<void> | void)[],
): Promise<void> {
  const { sls, proxy } = terminal;
  const example = (name: string): string => join(root, 'examples', 'employment', name);

  title('1. What the model takes and gives');
  await sls(['models', 'list']);
  title('2. What will be created, and what it costs a month');
  await sls(['models', 'plan']);
  await advise(terminal);

  title(`3. A local AWS, its clock ${SPEED} times as fast`);
  let since = performance.now();
  const aws: LocalAws = await startAws({ speed: SPEED, log: (line) => console.log(line) });
  cleanup.push(() => aws.stop());
  console.log(`answers at ${aws.endpoint} after ${seconds(since)}`);
  console.log(
    'commands that talk to it go by its clock: a minute that they print takes 3 s; the seconds that follow are ours',
  );
  const { env } = aws;
  const client = clientFor(aws.endpoint);

  title('4. Version 1: 25 people whose label is known are asked about before anyone else may');
  since = performance.now();
  await sls(['deploy'], { env });
  console.log(`deployed in ${seconds(since)}`);

  title('5. Ask it, by invoke');
  const known = readKnown(example('answers.json'));
  const local = join(root, '.local');
  mkdirSync(local, { recursive: true });
  const file = join(local, 'request.json');
  writeFileSync(file, JSON.stringify(known.request));
  await sls(['models', 'invoke', '--model', 'employment', '--path', relative(root, file)], { env });

  title('6. Ask it over HTTP: guarded by IAM, so through the proxy that signs');
  const base = await proxy(env);
  console.log(`signing proxy at ${base}, docs page at ${base}/docs`);
  await askOverHttp(base, known);

  title('7. Traffic, and somebody on call');
  const pager = await startPager(client, TOPIC);
  cleanup.push(pager.close);
  const people = readPeople(example('reference.csv'));
  const traffic = startTraffic(client, { functionName: FUNCTION, name: ALIAS }, people, RATE);
  cleanup.push(traffic.stop);
  console.log(
    `${RATE} requests a second from here on, each about one of ${count(people.length)} people, but only those born in the country`,
  );
  console.log('a webhook listens to the alerts topic, as a pager would');

  await releases({ sls, env, client, functionName: FUNCTION, alias: ALIAS, traffic, pager });

  await drift({ sls, env, traffic, pager, later: readPeople(example('later.csv')) });

  await batch({ sls, env, client, columns: Object.keys(people[0] ?? {}) });

  title('16. What became of every request');
  await traffic.stop();
  tally(traffic.outcomes, ['4', '5']);

  await bench(root, { sls });

  title('18. What is kept of all this');
  await sls(['models', 'history'], { env });
  await sls(['models', 'report', '--output', join(local, 'report.html')], { env });

  title('19. Remove');
  await sls(['remove'], { env });
}
