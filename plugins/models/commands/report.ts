import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Command, type Context, SINCE, sinceOf, usage } from '../context/context.ts';
import { sameService } from '../context/same-service.ts';
import { wellDeclaredModels } from '../context/well-declared.ts';
import { nameOf } from '../contracts/host.ts';
import { ALIAS } from '../declaration/naming.ts';
import { findingOf } from '../drift-report/finding.ts';
import { type ReportedModel, type ReportHead, reportHtml } from '../drift-report/report-html.ts';
import { benchesOf } from '../releases/history/benches.ts';
import { historyOf } from '../releases/history/history.ts';
import { unshown } from '../releases/history/text.ts';
import { wholeRecord } from '../releases/history/whole.ts';
import type { Desk } from '../releases/session.ts';

/**
 * Days that CloudWatch keeps metrics:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
 */
const KEPT_DAYS = 455;

/** Where packages lie, too: out of version control, and of the zips of the service's own functions. */
const OUTPUT = '.serverless/models-report.html';
/** Releases of a model. */
const RELEASES = 20;

/**
 * `sls models report`: a page that shows traffic, releases and drift, and needs no network to be looked at.
 */
export const command: Command = {
  onProblems: 'warned',
  usage: 'Write a page with traffic, latency, releases and drift of each model',
  options: {
    model: { usage: 'Name of the model (default: all)', shortcut: 'm', type: 'string' },
    since: { usage: `How far back, for example 2h or 7d (default: ${SINCE})`, type: 'string' },
    output: { usage: `The file to write (default: ${OUTPUT})`, shortcut: 'o', type: 'string' },
    json: { usage: 'Print JSON: where the page is', type: 'boolean' },
  },
  run: async (context) => {
    const { flags, plan, print, progress, service, aws } = context;
    const since = sinceOf(flags, KEPT_DAYS);
    const chosen = wellDeclaredModels(context);
    const [{ atDesk }, { readBaseline, readWindows }, { readTraffic }] = await Promise.all([
      import('../releases/session.ts'),
      import('../drift-report/windows.ts'),
      import('../drift-report/traffic.ts'),
    ]);
    const to = Date.now();
    const from = to - since * 1000;
    progress('Reading releases, metrics and drift');
    const subjects = await (async () => {
      const kept = await atDesk(context, (desk) =>
        Promise.all(chosen.map((model) => keptOf(desk, model.name, nameOf(model, plan.host)))),
      );
      const windows = await readWindows({ ...context, models: chosen }, from);
      return Promise.all(
        chosen.map(async (model, i): Promise<ReportedModel> => {
          const functionName = nameOf(model, plan.host);
          const seen = model.drift === undefined ? undefined : windows.get(model.name);
          const digest = (seen && findingOf(seen))?.shown.baseline;
          const baseline = digest ? await readBaseline(context, digest) : undefined;
          const traffic = await readTraffic(aws, functionName, from, to).catch((error: unknown) => ({
            unreadable: `Metrics cannot be read: ${error instanceof Error ? error.message : error}`,
          }));
          return {
            model: model.name,
            functionName,
            ...('unreadable' in traffic ? traffic : { traffic }),
            ...(kept[i]?.live && { live: kept[i].live }),
            releases: kept[i]?.releases ?? [],
            left: kept[i]?.left ?? [],
            benches: kept[i]?.benches ?? [],
            ...(seen && { seen }),
            ...(baseline && { baseline }),
          };
        }),
      );
    })().finally(() => progress(undefined));
    const { name, stage, region, dir } = service;
    const path = resolve(dir, String(flags.output ?? OUTPUT));
    try {
      if (flags.output === undefined) await mkdir(dirname(path), { recursive: true });
      await writeFile(path, pageOf({ service: name, stage, region, from, to }, subjects, flags));
    } catch (error) {
      throw usage(
        '--output',
        `${path} cannot be written: ${error instanceof Error ? error.message : error}.`,
        'Name a file in a folder that exists.',
      );
    }
    print(flags.json ? JSON.stringify({ report: path }, null, 2) : `The report is ${path}`);
  },
};

/** The page; commands on it ask the service that this one asked. */
export const pageOf = (
  head: ReportHead,
  subjects: readonly ReportedModel[],
  flags: Context['flags'],
): string => sameService(reportHtml(head, subjects), flags);

type KeptDesk = Pick<Desk, 'benches' | 'documents'> & {
  readonly sight: {
    readonly aliases: Pick<Desk['sight']['aliases'], 'get'>;
    readonly exists: Desk['sight']['exists'];
  };
};

/** What the registry has of a model. */
export async function keptOf({ benches, documents, sight }: KeptDesk, name: string, functionName: string) {
  const { pasts: releases, unread, older } = await historyOf(documents, name, RELEASES, sight.exists);
  // The page is of use without it.
  const live = await sight.aliases
    .get(functionName, ALIAS)
    .then((alias) => alias && documents.known(name, alias.version))
    .then((record) => record && wholeRecord(record))
    .catch(() => undefined);
  const versions = [...new Set(releases.flatMap(({ to }) => to ?? []))];
  const found = benchesOf(releases, await benches.newest(name, versions));
  return { releases, left: unshown(name, unread, older, RELEASES), live, benches: found };
}
