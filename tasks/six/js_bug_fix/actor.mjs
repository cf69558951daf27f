/**
 * Plays scripts against the classes of task_queue.js, on a virtual clock, and reports what happened.
 *
 * A script is {subject, options, steps}, a step is [name, ...arguments]; the steps of each class stand with it below.
 * What comes back is a log of observations, [milliseconds since the start, what, ...], and no verdict: what would
 * have been right is known outside.
 *
 * Runs in the process of that file, so nothing here rests on what the file can replace: what is used is taken first,
 * there are no iterators and no methods of prototypes behind it, and logs are put together as text.
 */
import fs from "node:fs";
import modules, { syncBuiltinESMExports } from "node:module";
import timers from "node:timers";
import timersPromises from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import v8 from "node:v8";
import vm from "node:vm";

const CLASSES = ["EventEmitter", "PriorityQueue", "TaskQueue", "RateLimiter", "ScheduledTaskRunner"];
const PUBLIC = {
  EventEmitter: ["on", "once", "off", "emit", "listenerCount"],
  PriorityQueue: ["size", "isEmpty", "enqueue", "dequeue", "peek", "clear", "toArray"],
  TaskQueue: ["add", "getTask", "getStats", "pause", "resume", "clear", "drain"],
  RateLimiter: ["available", "tryAcquire", "acquire", "schedule"],
  ScheduledTaskRunner: ["schedule", "cancel", "stop", "list"],
};
const MOST_TIMERS = 5000; // in one script; more of them means a loop without end
const MOST_NOTES = 2000; // in one script: several times what any has
const LONGEST = 2000; // characters of a text, entries of a list: more than any right one has
const DEEPEST = 5; // levels of a value

// ---- What is used later. What has an iterator, a method of a prototype or a live binding behind it is not.

const { Date, Promise, Error, AbortController, DOMException, String, BigInt, encodeURIComponent, setImmediate } = globalThis;
const { readFileSync } = fs;
const { createRequire } = modules;
const { compileFunction } = vm;
const { stringify } = JSON;
const { keys, create } = Object;
const { isArray } = Array;
const { trunc, floor } = Math;
const { apply } = Reflect;
const { getHeapStatistics } = v8;
const unbound = (method) => Function.prototype.call.bind(method);
const then = unbound(Promise.prototype.then);
const slice = unbound(String.prototype.slice);
const hexadecimal = unbound(Number.prototype.toString);
v8.setFlagsFromString("--expose-gc");
const collectGarbage = vm.runInNewContext("gc");

// ---- Time: all that tells it or waits for it. Grading sleeps not a millisecond and a busy machine changes nothing.

const clock = { now: Date.UTC(2024, 0, 1), first: null, last: null, created: 0, promised: 0 };

/** What waits is a chain, the oldest first. */
class VirtualTimer {
  #callback;
  #args;
  #ms;
  #repeats;
  #due;
  #before = null;
  #after = null;
  #waits = false;
  #id = (clock.created += 1);

  constructor(callback, ms, args, repeats) {
    this.#callback = callback;
    this.#ms = ms;
    this.#args = args;
    this.#repeats = repeats;
    this.refresh();
  }

  refresh() {
    this.close();
    this.#due = clock.now + this.#ms;
    this.#waits = true;
    this.#before = clock.last;
    if (clock.last) clock.last.#after = this;
    else clock.first = this;
    clock.last = this;
    return this;
  }

  close() {
    if (!this.#waits) return;
    this.#waits = false;
    if (this.#before) this.#before.#after = this.#after;
    else clock.first = this.#after;
    if (this.#after) this.#after.#before = this.#before;
    else clock.last = this.#before;
    this.#before = this.#after = null;
  }

  ref() { return this; }
  unref() { return this; }
  hasRef() { return true; }
  [Symbol.toPrimitive]() { return this.#id; }

  /** The one that is due first; null when none is by `end`. */
  static next(end) {
    let first = null;
    for (let timer = clock.first; timer; timer = timer.#after) if (!first || timer.#due < first.#due) first = timer;
    return first && first.#due <= end ? first : null;
  }

  static stop(wanted) {
    let timer = clock.first;
    while (timer && timer !== wanted && timer.#id !== wanted) timer = timer.#after;
    if (timer) close(timer);
  }

  static fire(timer) {
    clock.now = timer.#due;
    if (timer.#repeats) refresh(timer);
    else close(timer);
    apply(timer.#callback, undefined, timer.#args);
  }
}
const { next: nextTimer, stop, fire } = VirtualTimer;
const [refresh, close] = [VirtualTimer.prototype.refresh, VirtualTimer.prototype.close].map(unbound);

/** Lets pass so much time, and calls back with what a timer threw, if one did. */
function advance(ms, done) {
  const end = clock.now + ms;
  let fired = 0;
  const turn = () => {
    const timer = nextTimer(end);
    if (!timer) {
      clock.now = end;
      done();
      return;
    }
    try {
      if ((fired += 1) > MOST_TIMERS) throw new Error(`${MOST_TIMERS} timers fired within ${ms} ms`);
      fire(timer);
    } catch (error) {
      done(error);
      return;
    }
    setImmediate(turn);
  };
  setImmediate(turn); // all that needs no time happens first
}

class VirtualDate extends Date {
  constructor(...args) { super(...(args.length > 0 ? args : [clock.now])); }
  static now() { return clock.now; }
}

const delay = (ms) => (ms >= 1 ? trunc(ms) : 1); // as Node reads it
const wait = (ms, value) => new Promise((resolve) => void new VirtualTimer(resolve, delay(ms), [value], false));
const promisedWait = (ms, value, options) =>
  new Promise((resolve, reject) => {
    clock.promised += 1;
    const timer = new VirtualTimer(resolve, delay(ms), [value], false);
    const signal = options?.signal;
    signal?.addEventListener("abort", () => { close(timer); reject(signal.reason); });
  });
const virtualTimers = {
  setTimeout: Object.assign((callback, ms, ...args) => new VirtualTimer(callback, delay(ms), args, false), {
    [promisify.custom]: promisedWait,
  }),
  setInterval: (callback, ms, ...args) => new VirtualTimer(callback, delay(ms), args, true),
  setImmediate: (callback, ...args) => new VirtualTimer(callback, 0, args, false),
  clearTimeout: (timer) => void stop(timer),
  clearInterval: (timer) => void stop(timer),
  clearImmediate: (timer) => void stop(timer),
};
const virtualHrtime = Object.assign(
  (since) => {
    const ms = clock.now - (since ? since[0] * 1000 + since[1] / 1e6 : 0);
    return [floor(ms / 1000), (ms % 1000) * 1e6];
  },
  { bigint: () => BigInt(clock.now) * 1_000_000n },
);
function abortAfter(ms) {
  const controller = new AbortController();
  const abort = () => controller.abort(new DOMException("timed out", "TimeoutError"));
  clock.promised += 1;
  void new VirtualTimer(abort, ms, [], false);
  return controller.signal;
}

for (const [owner, values] of [
  [globalThis, { ...virtualTimers, Date: VirtualDate }],
  [timers, virtualTimers],
  [timersPromises, { setTimeout: promisedWait }],
  [performance, { now: () => clock.now }],
  [process, { hrtime: virtualHrtime }],
  [AbortSignal, { timeout: abortAfter }],
]) {
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(owner, name, { value, writable: true, configurable: true });
  }
}
syncBuiltinESMExports();

// ---- Promises that are settled a second time by hand

const settled = { watched: false, again: 0, errors: [], size: 0 };

/**
 * From now on, counts promises that are settled a second time by hand, and keeps the errors that settled one first.
 *
 * There is no other Promise to be had then: not from an async function, not as somebody's prototype, species or
 * subclass, nor out of another context. A class of one's own that ignores the second time is as good as a check.
 */
function watchPromises() {
  const { construct } = Reflect;
  const real = Promise;
  const executing = (executor) => (resolve, reject) => {
    let done = false;
    const watched = (act, rejects) => (value) => {
      if (done) settled.again += 1;
      else if (rejects) settled.errors[(settled.size += 1) - 1] = value;
      done = true;
      act(value);
    };
    return executor(watched(resolve, false), watched(reject, true));
  };
  // What the language itself settles more than once is nobody's carelessness.
  const own = create(null);
  for (const name of ["race", "any", "all", "allSettled"]) own[name] = (all) => apply(real[name], real, [all]);
  const watching = new Proxy(real, {
    construct: (target, { 0: executor }, wanted) =>
      construct(target, [typeof executor === "function" ? executing(executor) : executor], wanted === watching ? target : wanted),
    get: (target, name, receiver) => own[name] ?? Reflect.get(target, name, receiver),
  });
  real.prototype.constructor = watching;
  globalThis.Promise = watching;
  for (const name of keys(vm)) vm[name] = undefined;
  settled.watched = true;
}

// ---- Values, as JSON text

const short = (text) => (text.length > LONGEST ? slice(text, 0, LONGEST) : text);

/** What JSON can hold; null for anything else. */
function json(value, levels = DEEPEST) {
  if (typeof value === "string") return stringify(short(value));
  if (typeof value === "number" || typeof value === "boolean") return stringify(value);
  if (typeof value !== "object" || value === null || levels === 0) return "null";
  const names = isArray(value) ? null : keys(value);
  const size = names ? names.length : value.length;
  let text = "";
  for (let at = 0; at < size && at < LONGEST; at += 1) {
    const entry = json(value[names ? names[at] : at], levels - 1);
    text += `${text && ","}${names ? `${stringify(short(names[at]))}:` : ""}${entry}`;
  }
  return names ? `{${text}}` : `[${text}]`;
}

function message(error) {
  try {
    return slice(String(error?.message), 0, LONGEST);
  } catch {
    return "something unreadable";
  }
}

function nameOfClass(error) {
  try {
    return slice(String(error?.constructor?.name), 0, LONGEST);
  } catch {
    return "something unreadable";
  }
}

// ---- The module under test

const exported = create(null);
const classes = create(null);

/** Takes of each class what there is and was not there before; says whether all are there now. */
function take(found, ...into) {
  let all = true;
  for (let at = 0; at < CLASSES.length; at += 1) {
    const name = CLASSES[at];
    const one = found?.[name];
    for (let to = 0; to < into.length; to += 1) into[to][name] ??= one;
    all &&= Boolean(classes[name]);
  }
  return all;
}

/**
 * Exported is what one of the usual ways to ask for it gives: `import { TaskQueue }` or `require(...).TaskQueue`. What
 * is only a property of a default export is neither, and found as what is not exported at all.
 */
export function load(file, done, broken) {
  const require = createRequire(file);
  const loaded = () => done("{}");
  const imported = (module) => {
    const all =
      take(module, exported, classes) ||
      take(required(require, file), exported, classes) ||
      take(module.default, classes);
    if (all) loaded();
    else declared(file, loaded, loaded);
  };
  then(import(pathToFileURL(file).href), imported, (error) => declared(file, loaded, () => broken(message(error))));
}

/** What require() gives of a file that was imported; undefined where there are no ES modules for it. */
function required(require, file) {
  try {
    return require(file);
  } catch {
    return undefined;
  }
}

/**
 * Finds the classes that the file declares, exported or not. A forgotten export is a mistake of its own and judged as
 * one; it is no reason to leave the rest of the work unread. Nor are two ways to export that exclude each other.
 */
function declared(file, found, failed) {
  let all = "";
  for (let at = 0; at < CLASSES.length; at += 1) {
    const name = CLASSES[at];
    all += `${name}: typeof ${name} === "undefined" ? undefined : ${name}, `;
    globalThis[name] ??= undefined; // exporting a class that is missing is then no error
  }
  const source = readFileSync(file, "utf8");
  try {
    const run = compileFunction(`${source}\nreturn ({${all}});`, ["exports", "require", "module"]);
    const module = { exports: {} };
    take(run(module.exports, createRequire(file), module), classes);
    found();
  } catch {
    globalThis.module ??= { exports: {} };
    globalThis.exports ??= globalThis.module.exports;
    globalThis.require ??= createRequire(file);
    const text = `${source}\nexport const declaredHere = ({${all}});`;
    const use = (module) => { take(module.declaredHere, classes); found(); };
    then(import(`data:text/javascript,${encodeURIComponent(text)}`), use, failed);
  }
}

// ---- The steps of each class. Each subject makes the steps of one script; note() writes to its log.

const subjects = {
  /** Listeners go by a name; `reactions` has the steps that a named listener takes, the first time it is called. */
  EventEmitter({ EventEmitter }, options, note) {
    const emitter = new EventEmitter();
    const reactions = options.reactions ?? create(null);
    const listeners = create(null);
    const listener = (name) =>
      (listeners[name] ??= (...args) => {
        note("called", name, args);
        const todo = reactions[name];
        reactions[name] = null;
        for (let at = 0; todo && at < todo.length; at += 1) act(steps, todo[at]);
      });
    const steps = {
      on: (event, name) => void emitter.on(event, listener(name)),
      once: (event, name) => void emitter.once(event, listener(name)),
      off: (event, name) => void emitter.off(event, listener(name)),
      emit: (event, ...args) => note("emitted", event, emitted(event, args)),
      count: (event) => note("listeners", event, emitter.listenerCount(event)),
    };
    const emitted = (event, { length, 0: first, 1: second }) =>
      length === 0 ? emitter.emit(event) : length === 1 ? emitter.emit(event, first) : emitter.emit(event, first, second);
    return steps;
  },

  PriorityQueue({ PriorityQueue }, options, note) {
    const queue = new PriorityQueue();
    return {
      enqueue: (item, ...priority) => void (priority.length ? queue.enqueue(item, priority[0]) : queue.enqueue(item)),
      dequeue: () => note("dequeue", queue.dequeue()),
      peek: () => note("peek", queue.peek()),
      size: () => note("size", queue.size),
      isEmpty: () => note("isEmpty", queue.isEmpty()),
      toArray: () => note("toArray", queue.toArray()),
      clear: () => void queue.clear(),
    };
  },

  /**
   * A task goes by a name, takes `ms` and fails in its first `fails` tries; with `sync` it is a plain function.
   * Its other options are those of add().
   */
  TaskQueue({ TaskQueue }, options, note) {
    const queue = new TaskQueue(options);
    const ids = create(null);
    const nameOf = (task) => {
      for (const name in ids) if (ids[name] === task?.id) return name;
      return undefined;
    };
    queue.on("completed", (task, result) => note("completed", nameOf(task), result));
    queue.on("failed", (task, error) => {
      note("failed", nameOf(task), error instanceof Error, message(error));
      if (settled.watched) note("rejected", nameOf(task), wasRejectedWith(error));
    });
    queue.on("retry", (task) => note("retry", nameOf(task)));
    return {
      add: (name, { ms = 0, fails = 0, sync = false, ...rest } = {}) => {
        let tries = 0;
        const end = (failing) => {
          note("end", name);
          if (failing) throw new Error(`${name} broke`);
          return `result of ${name}`;
        };
        const work = () => {
          note("begin", name);
          tries += 1;
          const failing = tries <= fails;
          return sync ? end(failing) : then(wait(ms), () => end(failing));
        };
        ids[name] = queue.add(work, rest);
      },
      addNonsense: () => queue.add("not a function"),
      pause: () => void queue.pause(),
      resume: () => void queue.resume(),
      clear: () => note("cleared", queue.clear()),
      stats: () => note("stats", queue.getStats()),
      drain: (label) => void queue.drain().then(() => note("drained", label)),
      hearDrain: () => void queue.on("drain", () => note("drain")),
      find: (name) => note("found", name, queue.getTask(ids[name])?.id === ids[name]),
      /** By what `==` takes for the id, and nobody who meant to compare numbers or texts does. */
      findByLikes: (name) => {
        const id = ids[name];
        const likes = [` ${id} `, `${id}.0`, `0x${hexadecimal(id, 16)}`, { valueOf: () => id }, id === 1 ? true : "+1"];
        for (let at = 0; at < likes.length; at += 1) note("found", name, Boolean(queue.getTask(likes[at])));
      },
      /** Asks so often to be told of the end, all at once. */
      drainOften: (count) => {
        let told = 0;
        const tell = () => { if ((told += 1) === count) note("drained", count); };
        for (let n = 0; n < count; n += 1) queue.drain().then(tell);
      },
      /** Memory that is still held, in bytes. */
      memory: () => {
        collectGarbage();
        note("memory", getHeapStatistics().used_heap_size);
      },
      listeners: (event) => note("listeners", event, queue.listenerCount(event)),
      settledAgain: () => note("settled again", settled.again),
    };
  },

  RateLimiter({ RateLimiter }, { limit, interval }, note) {
    const limiter = new RateLimiter(limit, interval);
    return {
      acquire: (label) => void limiter.acquire().then(() => note("granted", label)),
      tryAcquire: () => note("tried", limiter.tryAcquire()),
      available: () => note("available", limiter.available),
      schedule: (label) => {
        const work = () => { note("granted", label); return `result of ${label}`; };
        limiter.schedule(work).then((result) => note("result", label, result));
      },
    };
  },

  /** A job's task takes `ms`; its other options are those of schedule(). */
  ScheduledTaskRunner({ TaskQueue, ScheduledTaskRunner }, options, note) {
    const queue = new TaskQueue(options);
    const runner = new ScheduledTaskRunner(queue);
    return {
      schedule: (name, interval, { ms = 0, ...rest } = {}) => {
        const work = () => { note("begin", name); return wait(ms); };
        runner.schedule(name, work, interval, rest);
      },
      cancel: (name) => note("cancelled", name, runner.cancel(name)),
      stop: () => void runner.stop(),
      list: () => note("jobs", runner.list()),
    };
  },

  /** Of each class that the file exports, the public names that its instances have. */
  interfaces(_, options, note) {
    return {
      look: (name) => {
        const { TaskQueue } = exported;
        const Class = exported[name];
        if (!Class) return;
        const instance =
          name === "RateLimiter" ? new Class(1, 1000)
          : name === "ScheduledTaskRunner" ? new Class(TaskQueue ? new TaskQueue() : null)
          : new Class();
        const wanted = PUBLIC[name];
        for (let at = 0; at < wanted.length; at += 1) if (wanted[at] in instance) note("has", name, wanted[at]);
      },
    };
  },
};

/** Whether a promise was rejected by hand with this error, or a timer that is a promise has made it unnecessary. */
function wasRejectedWith(error) {
  for (let at = 0; at < settled.size; at += 1) if (settled.errors[at] === error) return true;
  return clock.promised > 0;
}

/** Takes a step: its name and up to four arguments. */
function act(steps, step) {
  const { length, 0: name, 1: first, 2: second, 3: third, 4: fourth } = step;
  const take = steps[name];
  if (length === 1) take();
  else if (length === 2) take(first);
  else if (length === 3) take(first, second);
  else if (length === 4) take(first, second, third);
  else take(first, second, third, fourth);
}

/** Plays a script and reports its log. */
export function obey({ subject, options, steps }, done) {
  const start = clock.now;
  let log = "";
  let notes = 0;
  const note = (...entry) => {
    if ((notes += 1) > MOST_NOTES) return;
    let text = `${clock.now - start}`;
    for (let at = 0; at < entry.length; at += 1) text += `,${json(entry[at])}`;
    log += `${log && ","}[${text}]`;
  };
  const threw = (name, error) => note("threw", name, nameOfClass(error), message(error));
  while (clock.first) close(clock.first);

  const actions = begun();
  function begun() {
    try {
      return subjects[subject](classes, options, note);
    } catch (error) {
      threw("constructor", error);
      return null;
    }
  }

  const go = (at) => {
    if (!actions || at === steps.length) {
      done(`[${log}]`);
      return;
    }
    const step = steps[at];
    if (step[0] === "advance") {
      advance(step[1], (error) => {
        if (error !== undefined) threw("advance", error);
        go(at + 1);
      });
      return;
    }
    try {
      act(actions, step);
    } catch (error) {
      threw(step[0], error);
    }
    go(at + 1);
  };
  go(0);
}
