/**
 * Lets the class ServerSentEvents of server_sent_events.js read streams from memory, and tells what its handlers heard.
 *
 * Nothing here takes time: a chunk is there the moment it is asked for, and timers do not wait. A stream counts as
 * read when its end has been asked for and nothing more happens, by whatever means it is read. What would have been
 * right is known outside.
 */
import { readFileSync } from "node:fs";
import { createRequire, syncBuiltinESMExports } from "node:module";
import timers from "node:timers";
import timersPromises from "node:timers/promises";
import { pathToFileURL } from "node:url";
import vm from "node:vm";

const NAME = "ServerSentEvents";
const FILE = `${process.env.WORKSPACE}/server_sent_events.js`;
const QUIET = 10; // turns of the event loop in which nothing happens: then nothing more will
const MOST_TURNS = 2000;
const PATIENCE_MS = 20; // for a class that has asked for nothing yet
const SHORT_MS = 100; // timers up to here are ways to say "a little later"
const MOST_NOTES = 500; // in one run; more of them means a loop without end

const { setImmediate, setTimeout, clearTimeout, clearImmediate } = globalThis;
const turn = () => new Promise((resolve) => void setImmediate(resolve));

// ---- Timers: "a little later" is the next turn.

const soon = (callback, ms, ...args) =>
  ms > SHORT_MS ? setTimeout(callback, ms, ...args) : setImmediate(callback, ...args);
const stop = (timer) => { clearTimeout(timer); clearImmediate(timer); };
const soonPromise = (ms, value) => new Promise((resolve) => void soon(resolve, ms, value));
for (const [owner, values] of [
  [globalThis, { setTimeout: soon, clearTimeout: stop }],
  [timers, { setTimeout: soon, clearTimeout: stop }],
  [timersPromises, { setTimeout: soonPromise }],
]) {
  Object.assign(owner, values);
}
Object.defineProperty(soon, Symbol.for("nodejs.util.promisify.custom"), { value: soonPromise });
syncBuiltinESMExports();

// ---- The class under test

const isFunction = (value) => typeof value === "function";
const pick = (found) => [found?.[NAME], found?.default?.[NAME], found?.default?.default, found?.default].find(isFunction);

let failure; // why the file does not load
let exported = pick(await import(pathToFileURL(FILE).href).catch((error) => { failure = error; }));
const Subject = exported ?? (await declared().catch((error) => { throw failure ?? error; }));
if (!Subject) throw new TypeError(`there is no class ${NAME}`);

/**
 * The class that the file declares, exported or not: a forgotten export is a mistake of its own and no reason to leave
 * the rest unread. Versions of Node that take every .js file for CommonJS get to `export` this way, too.
 */
async function declared() {
  const source = readFileSync(FILE, "utf8");
  const found = `typeof ${NAME} === "undefined" ? undefined : ${NAME}`;
  try {
    const run = vm.compileFunction(`${source}\nreturn ${found};`, ["exports", "require", "module"]);
    const module = { exports: {} };
    return run(module.exports, createRequire(FILE), module);
  } catch {
    const text = `${source}\nexport const declaredHere = ${found};`;
    const module = await import(`data:text/javascript,${encodeURIComponent(text)}`);
    exported = pick(module);
    return exported ?? module.declaredHere;
  }
}

// ---- One run

let current; // the run that is going on: what goes wrong somewhere belongs to it

class Run {
  #chunks;
  #controller;
  #activity = 0;
  #events = 0;
  log = [];
  read = false; // everything has been asked for, and more
  cancelled = false;

  constructor(scenario) {
    this.scenario = scenario;
    const bytes = Buffer.from(scenario.stream, "base64");
    const cuts = [0, ...scenario.cuts, bytes.length];
    this.#chunks = cuts.slice(1).map((end, index) => Uint8Array.from(bytes.subarray(cuts[index], end)));
    this.#chunks = this.#chunks.filter((chunk) => chunk.length > 0);
    this.stream = new ReadableStream({
      type: "bytes", // as the body of a response, which can be read in either way
      start: (controller) => { this.#controller = controller; },
      pull: () => this.#more(),
      cancel: () => { this.#activity += 1; this.cancelled = true; },
    });
  }

  note(...entry) {
    this.#activity += 1;
    if (this.log.length < MOST_NOTES) this.log.push(entry.map(plain));
  }

  #more() {
    this.#activity += 1;
    this.read = this.#chunks.length === 0;
    if (!this.read) this.#controller.enqueue(this.#chunks.shift());
  }

  #end() {
    if (this.cancelled) return;
    if (this.scenario.end === "error") {
      this.#controller.error(new Error(this.scenario.error));
      return;
    }
    this.#controller.close();
    this.#controller.byobRequest?.respond(0); // else a reader with a buffer of its own waits for ever
  }

  async settle() {
    let quiet = 0;
    for (let turns = 0; quiet < QUIET && turns < MOST_TURNS; turns += 1) {
      const before = this.#activity;
      await turn();
      quiet = this.#activity === before ? quiet + 1 : 0;
    }
  }

  /** Makes the object and sets its handlers, in one turn. */
  begin() {
    this.object = new Subject(this.stream);
    this.firstTime = this.object.reconnectionTime;
    const { onmessage, listen } = this.scenario;
    const heard = (where) => (event) => {
      this.note(where, event?.type, event?.data, event?.lastEventId);
      if (this.scenario.close === "in the first event" && (this.#events += 1) === 1) this.close();
    };
    if (onmessage) {
      this.object.onmessage = heard("onmessage");
      // An event that has the error, or an error that was caused by it, tells of it as well.
      this.object.onerror = (error) => this.note("onerror", text(error?.error ?? error?.cause ?? error));
    }
    for (const type of listen) this.object.addEventListener(type, heard(`listener for ${type}`));
  }

  /** Calls what starts the reading; what it returns may be what reads. */
  async startBy(method) {
    const result = this.object[method](this.stream);
    if (isFunction(result?.[Symbol.asyncIterator])) for await (const _ of result);
    else await result;
  }

  close() {
    try {
      this.object.close();
    } catch (error) {
      this.threw(error);
    }
  }

  threw(error) { this.note("threw", text(error)); }

  async play(method) {
    current = this;
    try {
      this.begin();
      if (method) this.startBy(method).catch(() => {}); // its caller would handle that
      await this.proceed(this.scenario);
    } catch (error) {
      this.threw(error);
    }
    return this.result();
  }

  async proceed({ end, close, late }) {
    await this.settle();
    if (close === "while waiting") {
      this.close();
      await this.settle();
    }
    if (late && !this.cancelled) {
      this.#chunks.push(Uint8Array.from(Buffer.from(late, "base64")));
      if (this.read) this.#more();
      await this.settle();
    }
    if (end !== "open") {
      this.#end();
      await this.settle();
    }
  }

  result() {
    return {
      log: this.log,
      read: this.read,
      cancelled: this.cancelled,
      id: plain(this.object?.lastEventId),
      time: plain(this.object?.reconnectionTime),
      timeUnset: Object.is(this.object?.reconnectionTime, this.firstTime),
    };
  }
}

const text = (error) => { try { return String(error?.message ?? error).slice(0, 200); } catch { return "something unreadable"; } };
const plain = (value) => (["string", "number", "boolean"].includes(typeof value) ? value : null);

for (const name of ["uncaughtException", "unhandledRejection"]) process.on(name, (error) => current?.threw(error));

// ---- How reading begins

const STARTERS = /^_?(start|begin|connect|listen|open|read|run|consume|process|parse|pump|init|subscribe|resume)/i;
const GREETING = Buffer.from("data: hello\n\n").toString("base64");
const greeting = () => new Run({ stream: GREETING, cuts: [], end: "open", onmessage: true, listen: [] });
let starter; // "": it starts by itself; a name: this method has to be called; null: nothing helps

/** Finds out once whether the class starts by itself, and if not, which of its methods, named after that, starts it. */
async function findStarter() {
  const run = greeting();
  await run.play();
  if (!run.read && !run.object) return null;
  if (!run.read && run.log.length === 0) {
    await new Promise((resolve) => void setTimeout(resolve, PATIENCE_MS));
    await run.settle();
  }
  if (run.read || run.log.length > 0) return "";
  for (const method of methodsOf(run.object)) {
    const other = greeting();
    await other.play(method);
    if (other.read) return method;
  }
  return null;
}

function methodsOf(object) {
  const names = new Set();
  for (let owner = object; owner && owner !== Object.prototype; owner = Object.getPrototypeOf(owner)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(owner))) {
      if (STARTERS.test(name) && isFunction(value)) names.add(name);
    }
  }
  return [...names];
}

/** Plays each scenario on its own and returns what was seen. */
export async function play(scenarios) {
  if (starter === undefined) starter = await findStarter();
  const runs = [];
  for (const scenario of scenarios) runs.push(await new Run(scenario).play(starter));
  return { exported: exported !== undefined, starter, runs };
}
