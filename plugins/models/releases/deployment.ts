import type { GateEvidence } from '../../../core/gate/contract.ts';
import { gateFix } from '../../../core/gate/fix.ts';
import { failuresTable } from '../../../core/gate/table.ts';
import type { Release, Reversing } from '../../../core/release/document/contract.ts';
import type { Deployment } from '../../../core/release/document/history-contract.ts';
import { isPending, weightOf } from '../../../core/release/state/predicates.ts';
import { iso, MINUTE_MS } from '../../../core/units/time.ts';

/** What a deploy says of the releases that it meets, begins and loses. Pure. */

/** What the template offers of a model: the literals of its alias. */
export type Offer = Deployment['models'][number];

/**
 * A release that goes on or is held, in short: `JUDGING, version 5 at 25 %`; undefined where none is under
 * way.
 */
export function runningOf(release: Release): string | undefined {
  const { phase, candidate, reversal } = release;
  if (phase === 'REVERSING') return `REVERSING, version ${reversal?.to.version} is tried`;
  if (!isPending(release) || candidate === undefined) return undefined;
  return `${phase}, version ${candidate.version} at ${weightOf(release)} %`;
}

/**
 * Releases under way that this deploy would take the place of, and tests after an alarm that it would end, a
 * sentence each.
 */
export function superseded(
  offers: readonly Offer[],
  before: ReadonlyMap<string, Release>,
): readonly { readonly model: string; readonly text: string }[] {
  return offers.flatMap(({ model, fingerprint }) => {
    const release = before.get(model);
    if (release?.phase === 'REVERSING') return tested(release, fingerprint);
    if (release === undefined || !isPending(release)) return [];
    const { candidate, stable, phase, step, steps = [], held } = release;
    // The same again: that release goes on.
    if (candidate === undefined || candidate.fingerprint === fingerprint) return [];
    const where =
      step === undefined ? phase : `${phase}, step ${step + 1} of ${steps.length}, ${weightOf(release)} %`;
    const keeps =
      held?.by === 'foreign'
        ? '; traffic stays where the alias was moved'
        : stable === undefined
          ? ''
          : `; version ${stable.version} gets all traffic back`;
    return [{ model, text: `the release of version ${candidate.version} (${where}) is superseded${keeps}` }];
  });
}

/** The test that an alarm asked for: a deploy of another version than the live one ends it. */
function tested({ model, stable, reversal }: Reversing, fingerprint: string): ReturnType<typeof superseded> {
  if (stable.fingerprint === fingerprint) return [];
  const text = `the test of version ${reversal.to.version} beside version ${stable.version}, which ${reversal.alarm} asked for, is given up; version ${stable.version} gets all traffic back`;
  return [{ model, text }];
}

/**
 * The mark of `--force`, which forces what was refused before it. The clock of this machine may be behind
 * that of the worker: what is refused by now was refused before. So it is within the minute after that, and
 * another mark at each deploy, or CloudFormation would find no change.
 *
 * @param now milliseconds
 */
export function forceMark(before: ReadonlyMap<string, Release>, now: number): string {
  const times = [...before.values()].flatMap(({ refused }) => refused.map(({ at }) => Date.parse(at)));
  const latest = Math.max(...times.filter((time) => time > now));
  return iso(Number.isFinite(latest) ? latest + (now % MINUTE_MS) : now);
}

/** Beyond this share of slow requests, or below it, slower ones hardly change the counts. */
const RARE = 0.005;

/**
 * Why latency is not judged in a release that has begun, or hardly; undefined where it is, or where that is
 * not fixed yet.
 */
export function latencyLine({ model, basis, candidate }: Release): string | undefined {
  if (basis === undefined) return undefined;
  if (basis.slow !== undefined) {
    const { slower } = basis;
    if (slower === undefined || (slower >= RARE && slower <= 1 - RARE)) return undefined;
    const share =
      slower < RARE
        ? 'hardly any of the stable version’s requests come near the objective'
        : 'nearly all of the stable version’s requests are slower than the objective';
    return `${model}: little will be seen of latency: ${share}; one nearer to what they take (latency.p95) would show more`;
  }
  return `${model}: latency is not judged, since ${
    candidate?.p95 === undefined
      ? 'no objective (latency.p95) is declared'
      : 'the stable version counts by another objective, or by none'
  }`;
}

/**
 * Why refused requests are not judged in a release that has begun: the version that counts them only in sum.
 */
export function refusalsLine({ model, basis, stable, candidate }: Release): string | undefined {
  if (basis === undefined || basis.rejected) return undefined;
  const unaware = stable?.rejected ? candidate : stable;
  return `${model}: refused requests are not judged in this release, since version ${unaware?.version} does not count its own refusals`;
}

/** After a failed deploy: what the gate found, as a table, and what to do. */
export function gateFailure(evidence: GateEvidence, live: string | undefined): string {
  const { model, version, gate, failures } = evidence;
  const table = failuresTable(failures);
  const keeps = live === undefined ? 'Nothing was exposed.' : `Version ${live} keeps all traffic.`;
  return [
    `models.${model}.gate: version ${version} did not pass. ${gate.reason ?? ''}`.trimEnd(),
    ...(table === '' ? [] : ['', table]),
    '',
    `${keeps} ${gateFix(gate)}, and deploy again; a failed gate leaves no refusal.`,
    `On this machine: \`sls models gate --model ${model} --local\``,
  ].join('\n');
}
