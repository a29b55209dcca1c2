// Checks certificates with the module beside it, in a browser or in Node:
//
//   const check = await load(await (await fetch("stillthere_check_wasm.wasm")).arrayBuffer());
//   const answer = check(certificate, { keys: ["example.com/log+…"], account: "ann" });
//
// The certificate is a Uint8Array; the answer is the text that `stillthere check FILE --json` prints. What the options are
// is in src/options.rs.

export async function load(module) {
  const { instance } = await WebAssembly.instantiate(module, {});
  const { memory, alloc, length, check, free } = instance.exports;
  const put = (bytes) => {
    const at = alloc(bytes.length);
    // Taken anew each time: memory that grows is another buffer.
    new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
    return at;
  };
  return (certificate, options) => {
    const given = [certificate, new TextEncoder().encode(JSON.stringify(options))].map(put);
    const answer = check(...given);
    const text = new TextDecoder().decode(new Uint8Array(memory.buffer, answer, length(answer)));
    [...given, answer].forEach((at) => free(at));
    return text;
  };
}
