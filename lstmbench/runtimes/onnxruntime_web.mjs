// One ONNX Runtime session in a page: it asks for one question after the other, and posts each answer.

import * as ort from "/dist/ort.wasm.min.mjs";
import { decode, encode, failure } from "/tensors.mjs";

const post = (body) => fetch("/answer", { method: "POST", body });

try {
  ort.env.wasm.wasmPaths = "/dist/";
  ort.env.wasm.numThreads = Number(new URLSearchParams(location.search).get("threads"));
  const graph = await (await fetch("/graph")).arrayBuffer();
  const session = await ort.InferenceSession.create(graph, { executionProviders: ["wasm"] });
  await post(encode({}));
  for (;;) {
    const whole = new Uint8Array(await (await fetch("/question")).arrayBuffer());
    if (!whole.length) break; // no more are asked
    const start = 4 + new DataView(whole.buffer).getUint32(0, true);
    const { arrays } = JSON.parse(new TextDecoder().decode(whole.subarray(4, start)));
    await post(encode(await session.run(decode(ort.Tensor, arrays, whole.subarray(start)))));
  }
} catch (error) {
  await post(failure(error));
}
