import { PRIVACY, UPDATES } from '../../../core/advice/contract.ts';

/** Options of the command line, in a service and without one. */

const text = (usage: string) => ({ usage, type: 'string' as const });

export const ADVISE_OPTIONS = {
  latency: text('How long an answer may take, 95 % of them: 5 (ms), 200ms, 2s, 10m, 8h'),
  privacy: text('central: the data may go to one place; local: they stay where they are'),
  traffic: text('Requests a second on average: 100, or 5/s, 40/h, 1000/day'),
  burst: text('Half of the requests come at so many times the average rate (default: 1)'),
  update: text(`How often a new version comes: ${[...UPDATES].reverse().join(', ')}`),
  'device-update': text('How often devices can be updated (default: monthly)'),
  payload: text('Bytes of a request and its answer, for example 20KB'),
  memory: text('MB that it has, 128 or more: a function’s, or those of a process elsewhere'),
  duration: text(
    'Milliseconds that a request computes at that memory, 1769 MB being a vCPU (default: a bench, else a guess)',
  ),
  start: text('Milliseconds of a start before its first request (default: a bench, else a guess)'),
  network: text('Milliseconds between callers and the region, there and back'),
  budget: text('Dollars a month that it may cost'),
  'device-memory': text('Memory that a device has for the model, for example 512KB'),
  architecture: text('x86_64 or arm64'),
  bench: text('File that `sls models bench` wrote, bench.json'),
  prices: text('JSON file with other prices, by name: {"ec2.c7g.large.hour": 0.08}'),
  html: text('Write a page to this file, which needs no network'),
  json: { usage: 'Print JSON', type: 'boolean' as const },
} as const;

export type AdviseFlags = Readonly<Record<string, string | boolean | undefined>>;

export const CHOICES = {
  privacy: PRIVACY,
  update: UPDATES,
  'device-update': UPDATES,
  architecture: ['x86_64', 'arm64'],
} as const;
