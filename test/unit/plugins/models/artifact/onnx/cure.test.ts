/** What an artifact is refused for comes with what helps. */
import { expect, it } from 'vitest';
import { cureOf } from '../../../../../../plugins/models/artifact/onnx/cure.ts';
import { short } from '../../../../../../plugins/models/artifact/onnx/short.ts';
import { unsafeLocation } from '../../../../../../plugins/models/disk/location.ts';
import { gist } from '../../../../../../plugins/models/disk/npm.ts';

it.each([
  [
    'Unsupported model IR version: 14, max supported IR version: 13',
    /^Set the model’s IR version to 13 or lower/,
  ],
  [
    'Fatal error: ai.custom:Foo(-1) is not a registered function/op',
    /^Replace the operator ai\.custom:Foo, /,
  ],
  [
    'Deserialize tensor w External initializer: w offset: 0 size to read: 321126400 given file_length: 200000000 are out of bounds or can not be read in full.',
    /^Put the whole file of the external data beside the graph: .* 200000000 bytes, .* 321126400/,
  ],
  ['Unsupported data type: 16', /^Cast outputs of bfloat16 to float32 /],
  ['Unsupported data type: 17', /^Cast outputs of float8e4m3fn to float32 /],
  [
    'Exception during loading: MLDataType for: tensor(complex64) is not currently registered or supported',
    /^Give the real and the imaginary part of complex64 /,
  ],
  [
    "This is an invalid model. Type Error: Type 'tensor(double)' of input parameter (probabilities) of operator (ZipMap) in node (ZipMap) is invalid.",
    /^Convert the data to float32 before the export .*: ZipMap takes no float64/,
  ],
  [
    "Type Error: Type 'tensor(int64)' of input parameter (x) of operator (Relu) in node (r) is invalid.",
    /^Export the model with types that Relu takes/,
  ],
  [
    'Type Error: Type (tensor(double)) of output arg (variable) of node (TreeEnsembleRegressor) does not match expected type (tensor(float)).',
    /^Convert the data to float32 before the export .*: TreeEnsembleRegressor gives float32, /,
  ],
  [
    'Type Error: Type (tensor(int32)) of output arg (y) of node (a) does not match expected type (tensor(int64)).',
    /^Declare the output of a as int64 in the graph, where it is int32, /,
  ],
  [
    "Could not find an implementation for ArgMax(13) node with name 'a'",
    /^Export the model in float32: ONNX Runtime has ArgMax, /,
  ],
  [
    'Type Error: Type parameter (T) of Optype (Add) bound to different types (tensor(float16) and tensor(float) in node (a).',
    /^Give the inputs of Add one type: the graph has float16 and float there/,
  ],
  ['Opset 99 is under development', /^Export the model again, for an opset/],
])('%s', (message, cure) => {
  expect(cureOf(message)).toMatch(cure);
});

it('a name in a refusal may have megabytes, and is read no further than a person reads', () => {
  const long = 'a'.repeat(500_000);
  expect(short(`This is an invalid model. In Node, ("${long}", Add, "") : Error Node has`)).toMatch(
    /^This is an invalid model\. In Node, \("a{300,} …$/,
  );
  expect(cureOf(`In Node, ("${long}"`)).toMatch(/^Export the model again/);
});

it('a name with a colon is no absolute path', () => {
  expect(unsafeLocation('w:1.bin')).toBe('a path that begins with a drive of Windows');
  expect(unsafeLocation('/w.bin')).toBe('an absolute path');
});

it('npm’s words are shown once, without its trace', () => {
  const trace = `npm error code ECONNREFUSED
npm error syscall connect
npm error FetchError: request to https://packages.example/onnxruntime-node failed, reason: connect ECONNREFUSED
npm error     at ClientRequest.<anonymous> (minipass-fetch/lib/index.js:130:14)
npm error     at ClientRequest.emit (node:events:519:28)
npm error FetchError: request to https://packages.example/onnxruntime-node failed, reason: connect ECONNREFUSED
npm error A complete log of this run can be found in: ~/.npm/_logs/x.log
`;
  expect(gist(trace)).toBe(
    'code ECONNREFUSED syscall connect FetchError: request to https://packages.example/onnxruntime-node failed, reason: connect ECONNREFUSED',
  );
  expect(gist(`npm error ${'x'.repeat(2000)}`)).toHaveLength(302);
});
