import { readFile } from 'node:fs/promises';
import type { GateSettings } from '../../../../core/gate/contract.ts';
import type { ShipContext } from '../../contracts/ship-context.ts';
import type { Facts, Model } from '../../declaration/model.ts';
import { gateSettings } from '../../plan/release/settings.ts';
import { shipCases } from './cases.ts';
import { shipLabelled } from './labelled.ts';

/** What a gate asks, and what it follows: as a deploy would upload it. */
export type GateFiles = {
  readonly settings: GateSettings;
  readonly casesText?: string;
  readonly rowsText?: string;
  /** For people. */
  readonly notices: readonly string[];
};

/** @throws ProblemError with what is wrong with the files */
export async function gateFiles(
  { name, gate }: Model,
  { signature, columns }: Pick<Facts, 'signature' | 'columns'>,
  context: Pick<ShipContext, 'serviceDir' | 'progress'>,
): Promise<GateFiles | undefined> {
  if (gate === undefined) return undefined;
  const key = `models.${name}.gate`;
  const cases =
    gate.cases === undefined
      ? undefined
      : await shipCases(`${key}.cases`, gate.cases, gate, signature, context.serviceDir);
  const labelled =
    gate.metric === undefined
      ? undefined
      : await shipLabelled(`${key}.metric`, gate.metric, { signature, columns }, context);
  return {
    settings: gateSettings(gate, {
      ...(cases && { cases: cases.facts }),
      ...(labelled && { labelled: labelled.facts }),
    }),
    notices: labelled?.notices ?? [],
    ...(cases && { casesText: await readFile(cases.upload.from, 'utf8') }),
    ...(labelled && { rowsText: await readFile(labelled.upload.from, 'utf8') }),
  };
}
