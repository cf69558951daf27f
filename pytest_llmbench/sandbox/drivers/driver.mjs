// Runs inside the sandbox: calls one function of an untrusted JavaScript file (see sandbox/calls/client.py).
// Everything it uses is taken before the untrusted code is imported, which shares its process.

import { openSync, readFileSync, writeSync } from "node:fs";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";

const MESSAGE_LENGTH = 2000;
const MOST_LEVELS = 400;
const { stringify, parse } = JSON;
const exit = process.exit.bind(process);
const { getPrototypeOf, prototype: objectPrototype } = Object;
const { ownKeys, getOwnPropertyDescriptor } = Reflect;
const isArray = Array.isArray;
const arrayPrototype = Array.prototype;

class NotJSONError extends Error {
  constructor(typeName, where) {
    super(typeName);
    this.typeName = typeName;
    this.where = where;
  }
}

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

/** The name under which a value is reported: "number", "array", "Map", "undefined", "NaN", ... */
function typeName(value) {
  if (value === null) return "null";
  if (typeof value === "number") return Number.isFinite(value) ? "number" : String(value);
  if (typeof value !== "object") return typeof value;
  if (isArray(value)) return "array";
  const prototype = getPrototypeOf(value);
  if (prototype === null || prototype === objectPrototype) return "object";
  return String(prototype.constructor?.name || "object");
}

/** A copy of the value, made of exact JSON types only; throws NotJSONError. */
function plain(value, where = "", above = []) {
  const name = typeName(value);
  if (name === "null" || name === "boolean" || name === "string" || name === "number") return value;
  if (above.length >= MOST_LEVELS) throw new RangeError();
  if (above.includes(value)) throw new NotJSONError(`${name} that contains itself`, where);
  const inside = [...above, value];
  if (name === "array" && getPrototypeOf(value) === arrayPrototype) {
    return Array.from({ length: value.length }, (_, index) => plain(value[index], `${where}[${index}]`, inside));
  }
  if (name !== "object") throw new NotJSONError(name, where);
  const copy = Object.create(null);
  for (const key of ownKeys(value)) {
    if (typeof key === "symbol") throw new NotJSONError("key of type symbol", where);
    const property = getOwnPropertyDescriptor(value, key);
    if (!property.enumerable) continue;
    if (!("value" in property)) throw new NotJSONError("accessor", `${where}.${key}`);
    copy[key] = plain(property.value, `${where}.${key}`, inside);
  }
  return copy;
}

/** The arguments after the call; none when one of them cannot cross. */
function crossing(args) {
  try {
    return plain(args);
  } catch {
    return [];
  }
}

function returned(value, args) {
  const result = { outcome: "returned", value: null, type_name: typeName(value), message: "", args_after: crossing(args) };
  try {
    result.value = plain(value);
  } catch (error) {
    const place = error.where ? ` at ${error.where}` : "";
    const what = error instanceof NotJSONError ? error.typeName : error instanceof RangeError ? "nested too deeply" : "unreadable";
    result.message = `returned no plain JSON value: ${what}${place}`;
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

const request = parse(readFileSync(0, "utf8"));
const answer = openChannel(request.nonce);
globalThis.WORKSPACE = request.workspace;
const name = basename(request.file);
answer("ready");

let target;
let broken;
try {
  target = find(await import(pathToFileURL(request.file).href), request.function);
  if (!target) broken = raised(new TypeError(`${name} has no function ${request.function}`));
} catch (error) {
  broken = raised(error, `while importing ${name}: `);
}
for (const [index, args] of request.calls) {
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
