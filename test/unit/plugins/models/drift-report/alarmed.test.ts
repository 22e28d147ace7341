import { describe, expect, it } from 'vitest';
import type { VersionRef } from '../../../../../core/release/document/parts-contract.ts';
import type { Settings } from '../../../../../core/release/document/settings-contract.ts';
import { measured } from '../../../../../core/release/state/transitions.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { alarmedWords } from '../../../../../plugins/models/drift-report/alarmed.ts';
import { driftText } from '../../../../../plugins/models/drift-report/drift-text.ts';
import { settingsOf } from '../../../../../plugins/models/plan/release/settings.ts';

const [model] = parseModels({ churn: { artifact: 'a.onnx', drift: { baseline: 'r.csv' } } }).models;
if (model === undefined) throw new Error('no model');
const declared = model;

/** Settings of a version whose inputs have these names. */
function settings(native: boolean, ...inputs: readonly string[]): Settings {
  const signals = [...inputs, 'label', 'confidence'].map((name) => ({
    name,
    label: name,
    of: inputs.includes(name) ? ('input' as const) : ('output' as const),
    kind: name === 'label' ? ('category' as const) : ('numeric' as const),
    phi: 1,
    m: name === 'empty' ? 0 : 1000,
  }));
  return settingsOf(declared, {
    signature: { inputs: [], outputs: [], omitted: [] },
    drift: { sha256: '', bytes: 0, rows: 1000, native, signals },
  });
}
const live = (version: string, of: Settings): VersionRef => measured({ version, fingerprint: 'f' }, of);
const words = (template: Settings, stable: VersionRef) => alarmedWords({ settings: template, stable });

describe('what the alarms of CloudWatch see of the live version', () => {
  const template = settings(true, 'age', 'income', 'empty');

  it('is what its template watches, in units of its own reference', () => {
    expect(template.drift).toEqual(['age', 'income', 'confidence']);
    expect(settings(false, 'age', 'income').drift).toEqual(['confidence']);
    expect(live('4', template)).toMatchObject({ drift: ['age', 'income', 'confidence'] });
  });

  it('is all of it where it publishes what the template watches, whatever its reference', () => {
    expect(words(template, live('3', settings(true, 'income', 'age')))).toBeUndefined();
  });

  it('is nothing of a version of an earlier plugin, and that is told', () => {
    const { drift: _, ...old } = template;
    expect(words(template, live('3', old))).toBe(
      "CloudWatch's alarms do not see version 3: it was published without `drift`, or by an earlier version of the plugin (the monitor sees it then). They will see the next version that is released.",
    );
    // Nor is anything told where the template itself is of such, or there is nothing to watch.
    expect(words(old, live('3', old))).toBeUndefined();
    expect(words({ ...old, drift: [] }, live('3', old))).toBeUndefined();
  });

  it('is a part where the columns are other ones', () => {
    expect(words(template, live('3', settings(true, 'age', 'tenure')))).toContain(
      'alarms see only age, confidence of version 3, since the template declares other signals',
    );
    expect(words(template, live('3', settings(false, 'age')))).toContain('see only confidence of version 3');
    expect(words(settings(true, 'age'), { version: '3', drift: ['x'] })).toContain(
      'see nothing of version 3',
    );
  });

  it('is told by `sls models drift`, also before there is a window', () => {
    const alarmed = 'They see nothing.';
    expect(driftText('churn', { windows: [], cut: false, alarmed }, 0)).toContain(
      `\n  alarms     ${alarmed}`,
    );
  });
});
