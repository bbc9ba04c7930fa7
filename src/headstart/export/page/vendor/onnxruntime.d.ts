// What the page uses of ONNX Runtime Web.
export const env: { wasm: { wasmBinary?: Uint8Array; numThreads?: number } };
export class Tensor {
  constructor(type: "uint8", data: Uint8Array, dims: number[]);
  dims: number[];
  data: any;
}
export class InferenceSession {
  static create(network: Uint8Array, options: object): Promise<InferenceSession>;
  run(inputs: Record<string, Tensor>): Promise<Record<string, Tensor>>;
}
