// Tensors as they go to Python and back: the number of bytes of a head (uint32, little-endian), the head in JSON, and the
// arrays, one behind the other: {"arrays": [[name, type, shape, bytes], ...]} both ways, or {"error": "..."} back.

const KINDS = { int64: BigInt64Array, int32: Int32Array, float32: Float32Array };

export function decode(Tensor, arrays, bytes) {
  let start = 0;
  const tensor = ([name, type, shape, size]) => {
    const data = new KINDS[type](bytes.slice(start, (start += size)).buffer);
    return [name, new Tensor(type, data, shape)];
  };
  return Object.fromEntries(arrays.map(tensor));
}

export function encode(results) {
  const found = Object.entries(results);
  const arrays = found.map(([name, { type, dims, data }]) => [name, type, dims, data.byteLength]);
  return joined({ arrays }, found.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)));
}

export function text(words) {
  const data = new TextEncoder().encode(words);
  return { type: "uint8", dims: [data.length], data };
}

export function failure(error) {
  return joined({ error: String(error.message ?? error) }, []);
}

function joined(head, parts) {
  const text = new TextEncoder().encode(JSON.stringify(head));
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 4 + text.length));
  new DataView(whole.buffer).setUint32(0, text.length, true);
  let start = 4;
  for (const part of [text, ...parts]) {
    whole.set(part, start);
    start += part.length;
  }
  return whole;
}
