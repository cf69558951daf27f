// Values as they cross the call channel; the form is that of sandbox/calls/values.py, which says what each tag is.
// Everything it uses is taken before the untrusted code is imported, which shares its process.

const MOST_LEVELS = 400;
const MOST_DIGITS = 100_000;
const MOST_MEMBERS = 100_000;
const LONGEST_KEY = 100;
const { getPrototypeOf, prototype: objectPrototype, is } = Object;
const { apply, ownKeys, getOwnPropertyDescriptor } = Reflect;
const { isArray, prototype: arrayPrototype } = Array;
const { isFinite: isFiniteNumber, isInteger, MAX_SAFE_INTEGER: MOST_SAFE } = Number;
const { forEach: eachOfMap } = Map.prototype;
const { forEach: eachOfSet } = Set.prototype;
const { from: bufferFrom } = Buffer;
const [mapPrototype, setPrototype] = [Map.prototype, Set.prototype];
const bytesPrototypes = [Uint8Array.prototype, Buffer.prototype];
const [toBigInt, toNumber, KnownSet] = [BigInt, Number, Set];
const { toString: bigintText } = BigInt.prototype;
const { stringify } = JSON;
const FLOATS = { nan: NaN, inf: Infinity, "-inf": -Infinity };

export class CannotCrossError extends Error {
  constructor(what, where) {
    super(what);
    this.what = what;
    this.where = where;
  }
}

/** The name under which a value is reported: "number", "array", "Map", "undefined", ... */
export function typeName(value) {
  if (value === null) return "null";
  if (typeof value !== "object") return typeof value;
  if (isArray(value)) return "array";
  const prototype = getPrototypeOf(value);
  if (prototype === null || prototype === objectPrototype) return "object";
  return String(prototype.constructor?.name || "object");
}

/** The JSON value for a value, all of it new; throws CannotCrossError, and RangeError for too many levels. */
export function encode(value) {
  const budget = { members: MOST_MEMBERS };

  function encoded(value, where, above) {
    if (value === null || typeof value === "boolean" || typeof value === "string") return value;
    if (typeof value === "number") return number(value);
    if (typeof value === "bigint") return bigint(value, where);
    const name = typeName(value);
    if (typeof value !== "object") throw new CannotCrossError(name, where);
    if (above.length >= MOST_LEVELS) throw new RangeError();
    if (above.includes(value)) throw new CannotCrossError(`${name} that contains itself`, where);
    const prototype = getPrototypeOf(value);
    const inside = [...above, value];
    if (prototype === arrayPrototype) {
      const parts = typeof value[0] === "string" && value[0].startsWith("$") ? ["$list"] : [];
      for (let index = 0; index < value.length; index += 1) {
        parts.push(encoded(value[index], `${where}[${index}]`, inside));
      }
      return parts;
    }
    if (bytesPrototypes.includes(prototype)) return ["$bytes", bufferFrom(value).toString("hex")];
    if (prototype === mapPrototype) return map(value, where, inside);
    if (prototype === setPrototype) return set(value, where);
    if (prototype !== null && prototype !== objectPrototype) {
      throw new CannotCrossError(name === "object" ? "instance of a class without a name" : name, where);
    }
    return object(value, where, inside);
  }

  function object(value, where, inside) {
    const copy = { __proto__: null };
    for (const key of ownKeys(value)) {
      if (typeof key === "symbol") throw new CannotCrossError("key of type symbol", where);
      const property = getOwnPropertyDescriptor(value, key);
      if (!property.enumerable) continue;
      const place = `${where}.${key.slice(0, LONGEST_KEY)}`;
      if (!("value" in property)) throw new CannotCrossError("accessor", place);
      copy[key] = encoded(property.value, place, inside);
    }
    return copy;
  }

  function map(value, where, inside) {
    const parts = ["$dict"];
    const keys = [];
    apply(eachOfMap, value, [(item, key) => {
      keys.push(key);
      parts.push(hashed(key, `${where}{key}`), encoded(item, `${where}[${shown(key)}]`, inside));
    }]);
    return distinct(keys, parts, where);
  }

  function set(value, where) {
    const parts = ["$set"];
    const members = [];
    apply(eachOfSet, value, [(member) => {
      members.push(member);
      parts.push(hashed(member, `${where}{member}`));
    }]);
    return distinct(members, parts, where);
  }

  /** A member of a set or a key: only what Python can hash, and no NaN, which is equal to none when it is made anew. */
  function hashed(value, where) {
    if (is(value, NaN)) throw new CannotCrossError("NaN in a set or a key", where);
    const wire = encoded(value, where, []);
    if (typeof value === "object" && value !== null && !bytesPrototypes.includes(getPrototypeOf(value))) {
      throw new CannotCrossError(`${typeName(value)} in a set or a key`, where);
    }
    return wire;
  }

  /** The parts, if the members are distinct in Python too, where 1, 1n and true are equal. */
  function distinct(members, parts, where) {
    budget.members -= members.length;
    if (budget.members < 0) throw new CannotCrossError(`more than ${MOST_MEMBERS} members of sets or keys`, where);
    if (new KnownSet(members.map(identity)).size < members.length) {
      throw new CannotCrossError("members that are equal in Python", where);
    }
    return parts;
  }

  return encoded(value, "", []);
}

/** The value that a JSON value stands for, made in its place. It comes from the task, whose side has encoded it. */
export function decode(wire) {
  if (wire === null || typeof wire !== "object") return wire;
  const tag = isArray(wire) && typeof wire[0] === "string" && wire[0].startsWith("$") ? wire[0] : "";
  if (tag === "$float") return FLOATS[wire[1]];
  if (tag === "$int") return wire[1].startsWith("-") ? -toBigInt(`0x${wire[1].slice(1)}`) : toBigInt(`0x${wire[1]}`);
  if (tag === "$bytes") return new Uint8Array(bufferFrom(wire[1], "hex"));
  for (const key of Object.keys(wire)) wire[key] = decode(wire[key]);
  if (tag === "") return wire;
  const parts = wire.slice(1);
  if (tag === "$list" || tag === "$tuple") return parts;
  if (tag === "$set" || tag === "$frozenset") return new Set(parts);
  if (tag !== "$dict") throw new TypeError(`unknown tag ${tag}`);
  const map = new Map();
  for (let index = 0; index < parts.length; index += 2) map.set(parts[index], parts[index + 1]);
  return map;
}

function number(value) {
  if (isFiniteNumber(value)) return is(value, -0) ? ["$float", "-0.0"] : value;
  return ["$float", value > 0 ? "inf" : value < 0 ? "-inf" : "nan"];
}

function bigint(value, where) {
  if (value >= -MOST_SAFE && value <= MOST_SAFE) return toNumber(value);
  const text = apply(bigintText, value, [16]);
  if (text.length > MOST_DIGITS) throw new CannotCrossError(`bigint of ${text.length} hexadecimal digits`, where);
  return ["$int", text];
}

/** A text that two values share when they are equal in Python. */
function identity(value) {
  if (typeof value === "boolean") return identity(toNumber(value));
  if (typeof value === "bigint" || isInteger(value)) return `i${apply(bigintText, toBigInt(value), [16])}`;
  if (typeof value === "object" && value !== null) return `b${bufferFrom(value).toString("hex")}`;
  return `${typeof value} ${value}`;
}

function shown(key) {
  return typeof key === "string" ? stringify(key.slice(0, LONGEST_KEY)) : String(key).slice(0, LONGEST_KEY);
}
