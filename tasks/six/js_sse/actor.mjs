/**
 * Lets the class ServerSentEvents of an untrusted file read streams from memory, and reports what its handlers heard.
 *
 * Runs in the process of that file, so nothing here rests on what the file can replace: what is used is taken first,
 * reports are put together as text, and chunks come from outside (stage.mjs) when the ones before them were dealt with.
 *
 * Nothing takes time: a chunk that is there comes the moment it is asked for, and timers do not wait. A stream counts
 * as read when more than there is has been asked for and nothing more happens. What is right is known outside.
 */
import fs from "node:fs";
import modules, { syncBuiltinESMExports } from "node:module";
import timers from "node:timers";
import timersPromises from "node:timers/promises";
import { pathToFileURL } from "node:url";
import vm from "node:vm";

const NAME = "ServerSentEvents";
const QUIET = 10; // turns of the event loop in which nothing happens: then nothing more will
const MOST_TURNS = 2000;
const PATIENCE_MS = 20; // for a class that has asked for nothing yet
const SHORT_MS = 100; // timers up to here are ways to say "a little later"
const MOST_NOTES = 500; // in one run; more of them means a loop without end
const LONGEST = 2000; // characters of a value: more than any right one has

// ---- What is used later. What has an iterator, a method of a prototype or a live binding behind it is not.

const { setImmediate, setTimeout, clearTimeout, clearImmediate } = globalThis;
const { ReadableStream, Uint8Array, Promise, Error, String, encodeURIComponent } = globalThis;
const { stringify } = JSON;
const { getPrototypeOf, getOwnPropertyNames, getOwnPropertyDescriptor, is } = Object;
const { readFileSync } = fs;
const { createRequire } = modules;
const { compileFunction } = vm;
const objectPrototype = Object.prototype;
const asyncIterator = Symbol.asyncIterator;
const unbound = (method) => Function.prototype.call.bind(method);
const then = unbound(Promise.prototype.then);
const slice = unbound(String.prototype.slice);
const codeAt = unbound(String.prototype.charCodeAt);
const matches = unbound(RegExp.prototype.exec);
const { enqueue, close, error } = ReadableByteStreamController.prototype;
const [enqueueIn, closeIn, errorIn] = [enqueue, close, error].map(unbound);
const requestOf = unbound(getOwnPropertyDescriptor(ReadableByteStreamController.prototype, "byobRequest").get);
const respond = unbound(ReadableStreamBYOBRequest.prototype.respond);

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

// ---- Values, as JSON text

const isFunction = (value) => typeof value === "function";
const short = (text) => (text.length > LONGEST ? slice(text, 0, LONGEST) : text);

/** A text, a number or a truth value; null for anything else. */
function plain(value) {
  if (typeof value === "string") return stringify(short(value));
  return typeof value === "number" || typeof value === "boolean" ? stringify(value) : "null";
}

function message(error) {
  try {
    return slice(String(error?.message ?? error), 0, 200);
  } catch {
    return "something unreadable";
  }
}

// ---- One run

let current; // the run that is going on: what goes wrong somewhere belongs to it

class Run {
  #chunks = ""; // what has come and was not asked for yet: hexadecimal, a space behind each chunk
  #controller;
  #notes = "";
  #count = 0;
  #closing = false;
  #events = 0;
  #object;
  #firstTime;
  activity = 0;
  read = false; // more has been asked for than there is
  wasRead = false; // the same, before the end
  cancelled = false;

  constructor(chunks) {
    this.#chunks = chunks;
    this.stream = new ReadableStream({
      type: "bytes", // as the body of a response, which can be read in either way
      start: (controller) => { this.#controller = controller; },
      pull: () => this.#more(),
      cancel: () => { this.activity += 1; this.cancelled = true; },
    });
  }

  get object() { return this.#object; }
  get silent() { return this.#count === 0; }

  /** Keeps a note, whose parts are JSON texts. */
  note(entry) {
    this.activity += 1;
    if ((this.#count += 1) <= MOST_NOTES) this.#notes += `${this.#notes && ","}[${entry}]`;
  }

  threw(error) { this.note(`"threw",${plain(message(error))}`); }

  #more() {
    this.activity += 1;
    this.read = this.#chunks === "";
    if (this.read) return;
    let end = 0;
    while (codeAt(this.#chunks, end) !== 32) end += 1;
    const chunk = new Uint8Array(end / 2);
    for (let at = 0; at < end; at += 2) chunk[at / 2] = +`0x${this.#chunks[at]}${this.#chunks[at + 1]}`;
    this.#chunks = slice(this.#chunks, end + 1);
    enqueueIn(this.#controller, chunk);
  }

  feed(chunks) {
    if (this.cancelled) return;
    this.#chunks += chunks;
    if (this.read) this.#more();
  }

  end(how, reason) {
    this.wasRead = this.read;
    if (this.cancelled || how === "open") return;
    if (how === "error") {
      errorIn(this.#controller, new Error(reason));
      return;
    }
    closeIn(this.#controller);
    const request = requestOf(this.#controller);
    if (request) respond(request, 0); // else a reader with a buffer of its own waits for ever
  }

  /** Makes the object and sets its handlers, in one turn. */
  begin(onmessage, listen, closing) {
    this.#closing = closing;
    try {
      const object = (this.#object = new Subject(this.stream));
      this.#firstTime = object.reconnectionTime;
      const heard = (where) => (event) => {
        this.note(`${stringify(where)},${plain(event?.type)},${plain(event?.data)},${plain(event?.lastEventId)}`);
        if (this.#closing && (this.#events += 1) === 1) this.close();
      };
      if (onmessage) {
        object.onmessage = heard("onmessage");
        // An event that has the error, or an error that was caused by it, says so as well.
        object.onerror = (error) => this.note(`"onerror",${plain(message(error?.error ?? error?.cause ?? error))}`);
      }
      for (let at = 0; at < listen.length; at += 1) {
        object.addEventListener(listen[at], heard(`listener for ${listen[at]}`));
      }
      return true;
    } catch (error) {
      this.threw(error);
      return false;
    }
  }

  close() {
    try {
      this.#object.close();
    } catch (error) {
      this.threw(error);
    }
  }

  /** Calls what starts the reading; what it returns may be what reads. */
  async startBy(method) {
    try {
      const result = this.#object[method](this.stream);
      if (isFunction(result?.[asyncIterator])) for await (const _ of result);
      else await result;
    } catch {
      // Its caller would handle that.
    }
  }

  /** What there is to tell since the last time. */
  report() {
    const notes = this.#notes;
    this.#notes = "";
    let id = "null";
    let time = "null";
    let unset = false;
    try {
      id = plain(this.#object?.lastEventId);
      const last = this.#object?.reconnectionTime;
      time = plain(last);
      unset = is(last, this.#firstTime);
    } catch {
      // A getter that throws says nothing.
    }
    return `{"notes":[${notes}],"read":${this.wasRead},"cancelled":${this.cancelled},"id":${id},"time":${time},"timeUnset":${unset}}`;
  }
}

/** Calls back when nothing happens any more. */
function settle(run, done) {
  let turns = 0;
  let quiet = 0;
  let before = run.activity;
  const turn = () => {
    quiet = run.activity === before ? quiet + 1 : 0;
    before = run.activity;
    if (quiet < QUIET && (turns += 1) < MOST_TURNS) setImmediate(turn);
    else done();
  };
  setImmediate(turn);
}

process.setUncaughtExceptionCaptureCallback((error) => current?.threw(error));
Object.defineProperty(process, "setUncaughtExceptionCaptureCallback", { value: () => {}, writable: false });

// ---- The class under test

let Subject;
let starter; // "": it starts by itself; a name: this method has to be called; null: nothing helps
const pick = (found) => {
  const whole = found?.default;
  for (let at = 0; at < 4; at += 1) {
    const one = at === 0 ? found?.[NAME] : at === 1 ? whole?.[NAME] : at === 2 ? whole?.default : whole;
    if (isFunction(one)) return one;
  }
  return undefined;
};

/** Imports the file and finds out how reading begins. */
export function load(file, done, broken) {
  const begin = (found, exported) => {
    Subject = found;
    if (!Subject) return void broken(`there is no class ${NAME}`);
    findStarter((method) => {
      starter = method;
      done(`{"exported":${exported},"starter":${plain(method)}}`);
    });
  };
  const declaredInstead = (failure) => declared(file, begin, (error) => broken(message(failure ?? error)));
  then(
    import(pathToFileURL(file).href),
    (module) => { const found = pick(module); if (found) begin(found, true); else declaredInstead(); },
    (error) => declaredInstead(error),
  );
}

/**
 * Finds the class that the file declares, exported or not: a forgotten export is a mistake of its own and no reason to
 * leave the rest unread. Versions of Node that take every .js file for CommonJS get to `export` this way, too.
 */
function declared(file, found, failed) {
  const source = readFileSync(file, "utf8");
  const wanted = `typeof ${NAME} === "undefined" ? undefined : ${NAME}`;
  try {
    const run = compileFunction(`${source}\nreturn ${wanted};`, ["exports", "require", "module"]);
    const module = { exports: {} };
    found(run(module.exports, createRequire(file), module), false);
  } catch {
    const text = `${source}\nexport const declaredHere = ${wanted};`;
    const use = (module) => { const one = pick(module); found(one ?? module.declaredHere, one !== undefined); };
    then(import(`data:text/javascript,${encodeURIComponent(text)}`), use, failed);
  }
}

const STARTERS = /^_?(start|begin|connect|listen|open|read|run|consume|process|parse|pump|init|subscribe|resume)/i;
const GREETING = "646174613a2068656c6c6f0a0a "; // data: hello

/** Finds out whether the class starts by itself, and if not, which of its methods, named after that, starts it. */
function findStarter(done) {
  const run = (current = new Run(GREETING));
  const begun = run.begin(true, [], false);
  const look = () => {
    if (run.read || !run.silent) return void done("");
    tryNext(methodsOf(run.object), done);
  };
  settle(run, () => {
    if (!run.read && !begun) return void done(null);
    if (run.read || !run.silent) return void done("");
    setTimeout(() => settle(run, look), PATIENCE_MS);
  });
}

function tryNext(methods, done) {
  const method = methods();
  if (method === null) return void done(null);
  const run = (current = new Run(GREETING));
  if (run.begin(true, [], false)) run.startBy(method);
  settle(run, () => (run.read ? done(method) : tryNext(methods, done)));
}

/** A function that gives one name after the other, and null in the end. */
function methodsOf(object) {
  let owner = object;
  let names = getOwnPropertyNames(owner);
  let at = 0;
  return () => {
    for (;;) {
      while (at < names.length) {
        const name = names[at++];
        if (matches(STARTERS, name) && isFunction(getOwnPropertyDescriptor(owner, name).value)) return name;
      }
      owner = getPrototypeOf(owner);
      if (!owner || owner === objectPrototype) return null;
      names = getOwnPropertyNames(owner);
      at = 0;
    }
  };
}

/** Does something about the stream, waits until nothing happens any more, does the same for its end, and reports. */
export function obey(command, done) {
  const run = command.what === "begin" ? (current = new Run(command.chunks)) : current;
  attempt(run, () => {
    if (command.what === "begin") {
      if (run.begin(command.onmessage, command.listen, command.closing) && starter) run.startBy(starter);
    } else if (command.what === "feed") run.feed(command.chunks);
    else run.close();
  });
  settle(run, () => {
    attempt(run, () => run.end(command.end, command.error));
    if (command.end === "open") done(run.report());
    else settle(run, () => done(run.report()));
  });
}

/** What fails here is a stream that the module has closed, or locked in a way of its own. */
function attempt(run, act) {
  try {
    act();
  } catch (error) {
    run.threw(error);
  }
}
