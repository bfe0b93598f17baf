// One ONNX Runtime session in Node.js: node onnxruntime_node.mjs <folder of node_modules> <file> <threads> <in> <out>

import { readSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { decode, encode, failure } from "./tensors.mjs";

const [folder, file, threads, input, output] = process.argv.slice(2);
const ort = createRequire(`${folder}/`)("onnxruntime-node");

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

function question() {
  const size = new DataView(read(4).buffer).getUint32(0, true);
  const { arrays } = JSON.parse(new TextDecoder().decode(read(size)));
  return decode(ort.Tensor, arrays, read(arrays.reduce((sum, array) => sum + array[3], 0)));
}

try {
  const session = await ort.InferenceSession.create(file, {
    executionProviders: ["cpu"],
    intraOpNumThreads: Number(threads),
    interOpNumThreads: 1, // the graph is a chain: nothing to run side by side
  });
  write(encode({}));
  for (;;) write(encode(await session.run(question())));
} catch (error) {
  write(failure(error));
}
