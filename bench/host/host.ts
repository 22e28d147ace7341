/** The host outside Lambda against servers of models that people use, and under more than it can do. */
import { type Claim, type Effort, FULL, type Measured } from '../claims.ts';
import { median } from '../median.ts';
import { CALLERS, compared } from './compared.ts';
import { overloaded, probesUnderLoad } from './loaded.ts';
import type { PeerName } from './servers.ts';

/** What computes for less than 0.1 ms, what for 1 ms, and a transformer with a text of 32 tokens. */
const SMALL = 'logreg';
const LONGER = 'dense';
const TRANSFORMER = 'minilm';

const TITLES: Readonly<Record<PeerName, string>> = {
  mlserver: 'MLServer, a runtime of one’s own with onnxruntime',
  bentoml: 'BentoML with onnxruntime',
  fastapi: 'FastAPI with onnxruntime and orjson',
};

function against(peer: PeerName, model: typeof SMALL | typeof LONGER, least: number): readonly Claim[] {
  const work = model === SMALL ? 'less than 0.1 ms' : '1 ms';
  return CALLERS.map((callers) => ({
    name: `host-${peer}${model === SMALL ? '' : '-1ms'}-${callers}`,
    group: 'host',
    about: `${callers === 1 ? 'one caller' : `${callers} callers`}, ${work} of compute, time for each request: requests/s at least ${least} times as many`,
    ours: 'the host',
    other: TITLES[peer],
    unit: 'µs',
    compare: 'ratio',
    limit: Number((1 / least).toFixed(3)),
    measure: async (effort: Effort): Promise<Measured> => {
      if (effort.repeats < FULL.repeats) return { unmeasured: 'the short form installs no peers' };
      const { blocks, versions } = await compared(model, effort);
      const [ours, other] = [blocks.host[callers], blocks[peer][callers]];
      const p99 = [ours, other].map((all) => `${median(all.map((one) => one.p99)).toFixed(1)} ms`);
      const rate = [ours, other].map((all) => (1e6 / median(all.map(({ us }) => us))).toFixed(0));
      const us = (all: typeof ours): number[] => all.map((one) => one.us);
      const beside = `${rate.join(' beside ')} requests/s; p99 ${p99.join(' beside ')}; ${versions[peer]}`;
      return { ours: us(ours), other: us(other), beside };
    },
  }));
}

const overloads = [
  {
    name: 'overload',
    model: TRANSFORMER,
    overload: { times: 10 },
    about: 'a transformer, 10 times its capacity',
  },
  {
    name: 'overload-callers',
    model: LONGER,
    overload: { callers: 1500 },
    about: '1 ms of compute, 1,500 callers',
  },
] as const;

export const HOST: readonly Claim[] = [
  ...against('mlserver', SMALL, 3),
  ...against('bentoml', SMALL, 1),
  ...against('fastapi', SMALL, 0.7),
  ...against('bentoml', LONGER, 1),
  ...against('fastapi', LONGER, 1),
  {
    name: 'host-probe-ms',
    group: 'host',
    about: 'a health probe on a connection of its own while 64 callers ask, 99th percentile',
    ours: 'the host',
    unit: 'ms',
    compare: 'value',
    limit: 20,
    measure: (effort) => probesUnderLoad(SMALL, effort),
  },
  ...overloads.flatMap(({ name, model, overload, about }): readonly Claim[] => [
    {
      name: `host-${name}`,
      group: 'host',
      about: `${about}, by clients that ask again at once: time for each answer, answers/s at least 0.9 of capacity`,
      ours: 'overloaded',
      other: 'at full load',
      unit: 'µs',
      compare: 'ratio',
      limit: 1.111,
      measure: async (effort) => (await overloaded(model, overload, effort)).answers,
    },
    {
      name: `host-${name}-probe-ms`,
      group: 'host',
      about: `${about}: a health probe meanwhile, 99th percentile`,
      ours: 'the host',
      unit: 'ms',
      compare: 'value',
      limit: 20,
      measure: async (effort) => (await overloaded(model, overload, effort)).probes,
    },
  ]),
];
