/**
 * The messages of the Open Inference Protocol for another implementation of protobuf than ours: what tests
 * write with the one, they read with the other. Field numbers are the protocol’s; test/serving/triton_grpc.py
 * holds them to those that NVIDIA’s client was made from.
 */
import protobuf from 'protobufjs';

const { root } = protobuf.parse(
  `syntax = "proto3";
package inference;

message ServerLiveRequest {}
message ServerLiveResponse { bool live = 1; }
message ServerReadyRequest {}
message ServerReadyResponse { bool ready = 1; }
message ModelReadyRequest { string name = 1; string version = 2; }
message ModelReadyResponse { bool ready = 1; }
message ServerMetadataRequest {}
message ServerMetadataResponse { string name = 1; string version = 2; repeated string extensions = 3; }
message ModelMetadataRequest { string name = 1; string version = 2; }
message ModelMetadataResponse {
  message TensorMetadata { string name = 1; string datatype = 2; repeated int64 shape = 3; }
  string name = 1;
  repeated string versions = 2;
  string platform = 3;
  repeated TensorMetadata inputs = 4;
  repeated TensorMetadata outputs = 5;
}
message ModelInferRequest {
  message InferInputTensor {
    string name = 1;
    string datatype = 2;
    repeated int64 shape = 3;
    map<string, InferParameter> parameters = 4;
    InferTensorContents contents = 5;
  }
  message InferRequestedOutputTensor { string name = 1; map<string, InferParameter> parameters = 2; }
  string model_name = 1;
  string model_version = 2;
  string id = 3;
  map<string, InferParameter> parameters = 4;
  repeated InferInputTensor inputs = 5;
  repeated InferRequestedOutputTensor outputs = 6;
  repeated bytes raw_input_contents = 7;
}
message ModelInferResponse {
  message InferOutputTensor {
    string name = 1;
    string datatype = 2;
    repeated int64 shape = 3;
    map<string, InferParameter> parameters = 4;
    InferTensorContents contents = 5;
  }
  string model_name = 1;
  string model_version = 2;
  string id = 3;
  map<string, InferParameter> parameters = 4;
  repeated InferOutputTensor outputs = 5;
  repeated bytes raw_output_contents = 6;
}
message InferParameter {
  oneof parameter_choice {
    bool bool_param = 1;
    int64 int64_param = 2;
    string string_param = 3;
    double double_param = 4;
    uint64 uint64_param = 5;
  }
}
message InferTensorContents {
  repeated bool bool_contents = 1;
  repeated int32 int_contents = 2;
  repeated int64 int64_contents = 3;
  repeated uint32 uint_contents = 4;
  repeated uint64 uint64_contents = 5;
  repeated float fp32_contents = 6;
  repeated double fp64_contents = 7;
  repeated bytes bytes_contents = 8;
}`,
  { keepCase: true },
);

/** All messages’ fields by name, with number and type, for who compares them. */
export function messageFields(): Readonly<Record<string, Readonly<Record<string, [number, string]>>>> {
  const found: Record<string, Record<string, [number, string]>> = {};
  const walk = (space: protobuf.NamespaceBase): void => {
    for (const one of space.nestedArray) {
      if (one instanceof protobuf.Type)
        found[one.fullName.slice(1)] = Object.fromEntries(
          one.fieldsArray.map(({ name, id, type }) => [
            name,
            [id, SCALARS.includes(type) ? type : 'message'],
          ]),
        );
      if (one instanceof protobuf.Namespace) walk(one);
    }
  };
  walk(root);
  return found;
}
const SCALARS: readonly string[] = Object.keys(protobuf.types.basic);

/** @param value as protobufjs takes it: 64-bit integers as texts, bytes as they are */
export function encodeMessage(name: string, value: object): Buffer {
  const type = root.lookupType(`inference.${name}`);
  return Buffer.from(type.encode(type.fromObject(value)).finish());
}

/** @returns with 64-bit integers as texts, and what is not there as proto3 reads it: false, empty */
export function decodeMessage(name: string, bytes: Uint8Array): Readonly<Record<string, unknown>> {
  const type = root.lookupType(`inference.${name}`);
  return type.toObject(type.decode(Buffer.from(bytes)), { longs: String, defaults: true, bytes: Buffer });
}
