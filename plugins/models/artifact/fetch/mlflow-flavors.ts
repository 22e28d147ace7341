import { parse } from 'yaml';
import { fieldIn } from '../../../../core/json/fields.ts';

/** What the file `MLmodel` says that a model can be loaded as. */

/** Its key of them, with what is below it: the signature beside it has a line for each column. */
const FLAVORS = /^flavors:.*(?:\r?\n(?:[ \t#-].*)?)*/m;
/** Characters of that: the parser takes time by their square. */
const LONGEST = 64 * 1024;

/** @returns what it says of each, by name; nothing where it is no such file */
export function flavorsIn(text: string): Readonly<Record<string, unknown>> {
  const [about = ''] = FLAVORS.exec(text) ?? [];
  if (about.length > LONGEST) return {};
  try {
    // A warning would be printed as it stands, with what a terminal obeys.
    const flavors = fieldIn(parse(about, { logLevel: 'error' }), 'flavors');
    return typeof flavors === 'object' && flavors !== null ? (flavors as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** What makes ONNX of a model, by the flavor that it has instead. */
const EXPORTERS: Readonly<Record<string, string>> = {
  sklearn:
    '`skl2onnx.to_onnx(model, X[:1].astype("float32"))`, of a classifier with `options={"zipmap": False}`',
  lightgbm: '`onnxmltools.convert_lightgbm(model, initial_types=…, zipmap=False)`',
  xgboost: '`onnxmltools.convert_xgboost(model, initial_types=…)`',
  catboost: '`model.save_model("model.onnx", format="onnx")`',
  // Without `dynamic_shapes` the graph takes as many rows as the example has.
  pytorch: '`torch.onnx.export(model, (example,), "model.onnx", dynamo=True, dynamic_shapes=({0: "rows"},))`',
  tensorflow: '`python -m tf2onnx.convert --saved-model … --output model.onnx`',
  keras: '`model.export("model.onnx", format="onnx")`',
  transformers: '`optimum-cli export onnx --model … model`',
};

/** What to do about a model without the flavor `onnx`. */
export function exportAdvice(flavors: Readonly<Record<string, unknown>>): string {
  const [exporter] = Object.keys(flavors).flatMap((flavor) =>
    Object.hasOwn(EXPORTERS, flavor) ? (EXPORTERS[flavor] ?? []) : [],
  );
  return `Export it to ONNX${exporter === undefined ? '' : ` by ${exporter}`}, and log that by \`mlflow.onnx.log_model\`.`;
}
