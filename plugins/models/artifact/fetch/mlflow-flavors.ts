import { parse } from 'yaml';
import { fieldIn } from '../../../../core/json/fields.ts';

/** What the file `MLmodel` says that a model can be loaded as. */

/** @returns what it says of each, by name; nothing where it is no such file */
export function flavorsIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const flavors = fieldIn(parse(text), 'flavors');
    return typeof flavors === 'object' && flavors !== null ? (flavors as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** What makes ONNX of a model, by the flavor that it has instead. */
const EXPORTERS: Readonly<Record<string, string>> = {
  sklearn: '`skl2onnx.to_onnx(model, X[:1], options={"zipmap": False})`',
  lightgbm: '`onnxmltools.convert_lightgbm(model, initial_types=…, zipmap=False)`',
  xgboost: '`onnxmltools.convert_xgboost(model, initial_types=…)`',
  catboost: '`model.save_model("model.onnx", format="onnx")`',
  pytorch: '`torch.onnx.export(model, (example,), "model.onnx", dynamo=True)`',
  tensorflow: '`python -m tf2onnx.convert --saved-model … --output model.onnx`',
  keras: '`model.export("model.onnx", format="onnx")`',
  transformers: '`optimum-cli export onnx --model … model`',
};

/** What to do about a model without the flavor `onnx`. */
export function exportAdvice(flavors: Readonly<Record<string, unknown>>): string {
  const [exporter] = Object.keys(flavors).flatMap((flavor) => EXPORTERS[flavor] ?? []);
  return `Export it to ONNX${exporter === undefined ? '' : ` by ${exporter}`}, and log that by \`mlflow.onnx.log_model\`.`;
}
