// Runs inside the sandbox: calls one function of an untrusted JavaScript file (see sandbox/calls/client.py).
// Everything it uses is taken before the untrusted code is imported, which shares its process.

import { openSync, readFileSync, writeSync } from "node:fs";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import { CannotCrossError, decode, encode, typeName } from "./values.mjs";

const MESSAGE_LENGTH = 2000;
const { stringify, parse } = JSON;
const exit = process.exit.bind(process);

/** A descriptor of the answers that the untrusted code cannot close by closing standard output. */
function openChannel(nonce) {
  let descriptor = 1;
  try {
    descriptor = openSync("/dev/fd/1", "w");
  } catch {
    // Not every system can open it a second time.
  }
  return (...frame) => {
    const ascii = stringify(frame).replace(/[\u007f-\uffff]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
    let rest = Buffer.from(`\n${nonce} ${ascii}\n`);
    while (rest.length) {
      try {
        rest = rest.subarray(writeSync(descriptor, rest));
      } catch (error) {
        if (error.code !== "EAGAIN") throw error;
      }
    }
  };
}

/** The arguments after the call; none when one of them cannot cross. */
function crossing(args) {
  try {
    return encode(args);
  } catch {
    return [];
  }
}

function returned(value, args) {
  const result = { outcome: "returned", value: null, type_name: typeName(value), message: "", args_after: crossing(args) };
  try {
    result.value = encode(value);
  } catch (error) {
    const place = error.where ? ` at ${error.where}` : "";
    const what = error instanceof CannotCrossError ? error.what : error instanceof RangeError ? "nested too deeply" : "unreadable";
    result.message = `returned a value that cannot be passed: ${what}${place}`;
  }
  return result;
}

function raised(error, prefix = "", args = []) {
  const result = { outcome: "raised", value: null, type_name: "", message: "", args_after: crossing(args) };
  try {
    const isError = error instanceof Error;
    result.type_name = isError ? String(error.name) : typeName(error);
    result.message = prefix + String(isError ? error.message : error).slice(0, MESSAGE_LENGTH);
  } catch {
    result.message = `${prefix}(its message cannot be read)`;
  }
  return result;
}

/** The named export, the same name on the default export, or the default export if it is itself a function. */
function find(module, name) {
  if (typeof module[name] === "function") return module[name];
  const exported = module.default;
  if (exported !== null && typeof exported === "object" && typeof exported[name] === "function") {
    return exported[name].bind(exported);
  }
  if (typeof exported === "function") return typeof exported[name] === "function" ? exported[name] : exported;
  return undefined;
}

const text = readFileSync(0, "utf8");
const request = parse(text);
const answer = openChannel(request.nonce);
globalThis.WORKSPACE = request.workspace;
const name = basename(request.file);
// Where no text begins as a tag does, each value stands for itself.
const calls = text.includes('"$') ? request.calls.map(([index, args]) => [index, decode(args)]) : request.calls;
answer("ready");

let target;
let broken;
try {
  target = find(await import(pathToFileURL(request.file).href), request.function);
  if (!target) broken = raised(new TypeError(`${name} has no function ${request.function}`));
} catch (error) {
  broken = raised(error, `while importing ${name}: `);
}
for (const [index, args] of calls) {
  answer("begin", index);
  let result = broken;
  if (!result) {
    try {
      result = returned(await target(...args), args);
    } catch (error) {
      result = raised(error, "", args);
    }
  }
  answer("end", index, result);
}
exit(0);
