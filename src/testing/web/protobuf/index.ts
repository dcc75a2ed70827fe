export { decodeObject, type Enveloped, openEnvelope } from './decode.ts';
export { ProtobufError } from './reader.ts';
