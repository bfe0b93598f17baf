// One ONNX Runtime session in a page: it asks for one question after the other, and posts each answer.

import { decode, encode, failure, text } from "/tensors.mjs";

const asked = new URLSearchParams(location.search);
const [provider, threads] = [asked.get("provider"), Number(asked.get("threads"))];
const post = (body) => fetch("/answer", { method: "POST", body });

let told = null; // what is written to the console, while anyone wants to know
console.log = (...words) => told?.push(words.join(" "));

// Where nodes ran: a session of its own keeps a profile of one call, which ONNX Runtime writes to the console.
async function profile(create, feeds) {
  const session = await create({ enableProfiling: true });
  await session.run(feeds);
  told = [];
  session.endProfiling();
  const lines = told.join("\n").split("\n");
  told = null;
  await session.release();
  return { profile: text(lines.filter((line) => line.startsWith('{"cat" : "Node"')).join("\n")) };
}

// What computes, in the words of the device that ONNX Runtime took.
async function device(ort) {
  const { adapterInfo } = (await ort.env.webgpu?.device) ?? {};
  return adapterInfo ? { device: text(JSON.stringify([adapterInfo.isFallbackAdapter, adapterInfo.architecture])) } : {};
}

try {
  if (threads > 1 && !crossOriginIsolated) throw new Error("the page is not isolated: it has one thread");
  const ort = await import(`/dist/ort.${provider}.min.mjs`);
  ort.env.wasm.wasmPaths = "/dist/";
  ort.env.wasm.numThreads = threads;
  const graph = await (await fetch("/graph")).arrayBuffer();
  const create = (options) => ort.InferenceSession.create(graph, { executionProviders: [provider], ...options });
  const session = await create();
  await post(encode(await device(ort)));
  for (;;) {
    const whole = new Uint8Array(await (await fetch("/question")).arrayBuffer());
    if (!whole.length) break; // no more are asked
    const start = 4 + new DataView(whole.buffer).getUint32(0, true);
    const { arrays, profiled } = JSON.parse(new TextDecoder().decode(whole.subarray(4, start)));
    const feeds = decode(ort.Tensor, arrays, whole.subarray(start));
    await post(encode(profiled ? await profile(create, feeds) : await session.run(feeds)));
  }
} catch (error) {
  await post(failure(error));
}
