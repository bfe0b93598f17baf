// One ONNX Runtime session in Node.js: node onnxruntime_node.mjs <folder of node_modules> <file> <threads> <in> <out>
//
// A message is the number of bytes of its head (uint32, little-endian), the head in JSON, and the arrays, one behind
// the other: {"arrays": [[name, type, shape, bytes], ...]} both ways, or {"error": "..."} back.

import { readSync, writeSync } from "node:fs";
import { createRequire } from "node:module";

const [folder, file, threads, input, output] = process.argv.slice(2);
const ort = createRequire(`${folder}/`)("onnxruntime-node");
const KINDS = { int64: BigInt64Array, int32: Int32Array, float32: Float32Array };

function read(count) {
  const bytes = new Uint8Array(count);
  for (let got = 0; got < count; ) {
    const more = readSync(Number(input), bytes, got, count - got);
    if (!more) process.exit(0); // the other end is closed
    got += more;
  }
  return bytes;
}

function write(bytes) {
  for (let sent = 0; sent < bytes.length; ) sent += writeSync(Number(output), bytes, sent);
}

function answer(head, parts) {
  const text = Buffer.from(JSON.stringify(head));
  const size = Buffer.alloc(4);
  size.writeUInt32LE(text.length);
  write(Buffer.concat([size, text, ...parts]));
}

function question() {
  const size = new DataView(read(4).buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(read(size)));
  const tensor = ([name, type, shape, bytes]) => [name, new ort.Tensor(type, new KINDS[type](read(bytes).buffer), shape)];
  return Object.fromEntries(head.arrays.map(tensor));
}

function sent(results) {
  const found = Object.entries(results).map(([name, { type, dims, data }]) => ({ name, type, dims, data }));
  const parts = found.map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  answer({ arrays: found.map(({ name, type, dims, data }) => [name, type, dims, data.byteLength]) }, parts);
}

try {
  const session = await ort.InferenceSession.create(file, {
    executionProviders: ["cpu"],
    intraOpNumThreads: Number(threads),
    interOpNumThreads: 1, // the graph is a chain: nothing to run side by side
  });
  answer({ arrays: [] }, []);
  for (;;) sent(await session.run(question()));
} catch (error) {
  answer({ error: String(error.message ?? error) }, []);
}
