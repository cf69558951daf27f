/**
 * Plays scripts against the classes of task_queue.js, on a virtual clock, and tells what happened.
 *
 * A script is {options, steps}, a step is [name, ...arguments]; the steps of each class stand with it below.
 * What comes back is a log of observations, [milliseconds since the start, what, ...], and no verdict: what
 * would have been right is known outside.
 */
import { readFileSync } from "node:fs";
import { createRequire, syncBuiltinESMExports } from "node:module";
import timers from "node:timers";
import timersPromises from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import vm from "node:vm";

const FILE = `${process.env.WORKSPACE}/task_queue.js`;
const CLASSES = ["EventEmitter", "PriorityQueue", "TaskQueue", "RateLimiter", "ScheduledTaskRunner"];
const MOST_TIMERS = 5000; // in one script; more of them means a loop without end

// ---- Time: all that tells it or waits for it. Grading sleeps not a millisecond and a busy machine changes nothing.

const real = { Date, Promise, setImmediate };
const clock = { now: Date.UTC(2024, 0, 1), waiting: [], created: 0 };

class VirtualTimer {
  constructor(callback, ms, args = [], repeats = false) {
    Object.assign(this, { callback, ms, args, repeats, id: ++clock.created });
    this.refresh();
  }
  refresh() {
    this.close();
    this.due = clock.now + this.ms;
    clock.waiting.push(this);
    return this;
  }
  close() { clock.waiting = clock.waiting.filter((timer) => timer !== this); }
  ref() { return this; }
  unref() { return this; }
  hasRef() { return true; }
  [Symbol.toPrimitive]() { return this.id; }
}

/** Lets happen all that needs no time. */
const settle = () => new real.Promise((resolve) => real.setImmediate(resolve));

async function advance(ms) {
  const end = clock.now + ms;
  await settle();
  for (let fired = 0; ; fired += 1) {
    const next = clock.waiting.reduce((first, timer) => (first && first.due <= timer.due ? first : timer), null);
    if (!next || next.due > end) break;
    if (fired === MOST_TIMERS) throw new Error(`${MOST_TIMERS} timers fired within ${ms} ms`);
    clock.now = next.due;
    if (next.repeats) next.refresh();
    else next.close();
    next.callback(...next.args);
    await settle();
  }
  clock.now = end;
}

class VirtualDate extends real.Date {
  constructor(...args) { super(...(args.length > 0 ? args : [clock.now])); }
  static now() { return clock.now; }
}

const delay = (ms) => (ms >= 1 ? Math.trunc(ms) : 1); // as Node reads it
const stop = (timer) => clock.waiting.find((one) => one === timer || one.id === timer)?.close();
const wait = (ms, value, { signal } = {}) =>
  new real.Promise((resolve, reject) => {
    const timer = new VirtualTimer(resolve, delay(ms), [value]);
    signal?.addEventListener("abort", () => { timer.close(); reject(signal.reason); });
  });
const virtualTimers = {
  setTimeout: Object.assign((callback, ms, ...args) => new VirtualTimer(callback, delay(ms), args), {
    [promisify.custom]: wait,
  }),
  setInterval: (callback, ms, ...args) => new VirtualTimer(callback, delay(ms), args, true),
  setImmediate: (callback, ...args) => new VirtualTimer(callback, 0, args),
  clearTimeout: stop,
  clearInterval: stop,
  clearImmediate: stop,
};
const virtualHrtime = Object.assign(
  ([seconds, nanoseconds] = [0, 0]) => {
    const ms = clock.now - seconds * 1000 - nanoseconds / 1e6;
    return [Math.floor(ms / 1000), (ms % 1000) * 1e6];
  },
  { bigint: () => BigInt(clock.now) * 1_000_000n },
);
function abortAfter(ms) {
  const controller = new AbortController();
  virtualTimers.setTimeout(() => controller.abort(new DOMException("timed out", "TimeoutError")), ms);
  return controller.signal;
}

for (const [owner, values] of [
  [globalThis, { ...virtualTimers, Date: VirtualDate }],
  [timers, virtualTimers],
  [timersPromises, { setTimeout: wait }],
  [performance, { now: () => clock.now }],
  [process, { hrtime: virtualHrtime }],
  [AbortSignal, { timeout: abortAfter }],
]) {
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(owner, name, { value, writable: true, configurable: true });
  }
}
syncBuiltinESMExports();

// ---- The module under test

const pick = (found) => Object.fromEntries(CLASSES.map((name) => [name, found[name] ?? found.default?.[name]]));
let failure; // why the file does not load
const exported = pick(await import(pathToFileURL(FILE).href).catch((error) => { failure = error; return {}; }));
const others = CLASSES.every((name) => exported[name]) ? {} : await declared().catch(() => {
  if (failure) throw failure;
  return {};
});
const classes = Object.fromEntries(CLASSES.map((name) => [name, exported[name] ?? others[name]]));

/**
 * The classes that the file declares, exported or not. A forgotten export is a mistake of its own and
 * judged as one; it is no reason to leave the rest of the work unread.
 */
async function declared() {
  const all = `({${CLASSES.map((name) => `${name}: typeof ${name} === "undefined" ? undefined : ${name}`)}})`;
  const source = readFileSync(FILE, "utf8");
  for (const name of CLASSES) globalThis[name] ??= undefined; // exporting a class that is missing is then no error
  try {
    const module = { exports: {} };
    const run = vm.compileFunction(`${source}\nreturn ${all};`, ["exports", "require", "module"]);
    return run(module.exports, createRequire(FILE), module);
  } catch {
    const text = `${source}\nexport const declaredHere = ${all};`;
    return (await import(`data:text/javascript,${encodeURIComponent(text)}`)).declaredHere;
  }
}

// ---- The steps of each class. Each subject makes the steps of one script; note() writes to its log.

const subjects = {
  /** Listeners go by a name; `reactions` has the steps that a named listener takes, the first time it is called. */
  EventEmitter({ EventEmitter }, { reactions = {} }, note) {
    const emitter = new EventEmitter();
    const listeners = {};
    const listener = (name) =>
      (listeners[name] ??= (...args) => {
        note("called", name, args);
        const todo = reactions[name] ?? [];
        delete reactions[name];
        for (const [step, ...rest] of todo) steps[step](...rest);
      });
    const steps = {
      on: (event, name) => void emitter.on(event, listener(name)),
      once: (event, name) => void emitter.once(event, listener(name)),
      off: (event, name) => void emitter.off(event, listener(name)),
      emit: (event, ...args) => note("emitted", event, emitter.emit(event, ...args)),
      count: (event) => note("listeners", event, emitter.listenerCount(event)),
    };
    return steps;
  },

  PriorityQueue({ PriorityQueue }, options, note) {
    const queue = new PriorityQueue();
    return {
      enqueue: (...args) => void queue.enqueue(...args),
      dequeue: () => note("dequeue", queue.dequeue()),
      peek: () => note("peek", queue.peek()),
      size: () => note("size", queue.size),
      isEmpty: () => note("isEmpty", queue.isEmpty()),
      toArray: () => note("toArray", [...queue.toArray()].sort()),
      clear: () => void queue.clear(),
    };
  },

  /**
   * A task goes by a name, takes `ms` and fails in its first `fails` tries; with `sync` it is a plain function.
   * Its other options are those of add().
   */
  TaskQueue({ TaskQueue }, options, note) {
    const queue = new TaskQueue(options);
    const ids = {};
    const nameOf = (task) => Object.keys(ids).find((name) => ids[name] === task?.id);
    queue.on("completed", (task, result) => note("completed", nameOf(task), result));
    queue.on("failed", (task, error) => note("failed", nameOf(task), error instanceof Error, String(error?.message)));
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
          return sync ? end(failing) : wait(ms).then(() => end(failing));
        };
        ids[name] = queue.add(work, rest);
      },
      addNonsense: () => queue.add("not a function"),
      pause: () => void queue.pause(),
      resume: () => void queue.resume(),
      clear: () => note("cleared", queue.clear()),
      stats: () => note("stats", { ...queue.getStats() }),
      drain: (label) => void queue.drain().then(() => note("drained", label)),
      hearDrain: () => void queue.on("drain", () => note("drain")),
      find: (name) => note("found", name, queue.getTask(ids[name])?.id === ids[name]),
      findByText: (name) => note("found", name, Boolean(queue.getTask(String(ids[name])))),
      listeners: (event) => note("listeners", event, queue.listenerCount(event)),
      watchPromises: () => watchPromises((count) => note("settled again", count)),
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
      list: () => note("jobs", [...runner.list()].sort()),
    };
  },
};

/** From now on, tells of promises that are settled a second time by hand: count() is called with each. */
function watchPromises(count) {
  let again = 0;
  class WatchedPromise extends real.Promise {
    static get [Symbol.species]() { return real.Promise; }
    constructor(executor) {
      super((resolve, reject) => {
        let settled = false;
        const watched = (act) => (value) => {
          if (settled) count((again += 1));
          settled = true;
          act(value);
        };
        return executor(watched(resolve), watched(reject));
      });
    }
  }
  // What the language itself settles more than once is nobody's carelessness.
  for (const name of ["race", "any", "all", "allSettled"]) {
    WatchedPromise[name] = real.Promise[name].bind(real.Promise);
  }
  globalThis.Promise = WatchedPromise;
}

async function playOne(subject, { options = {}, steps }) {
  const start = clock.now;
  const log = [];
  const note = (...entry) => void log.push([clock.now - start, ...entry]);
  clock.waiting = [];
  globalThis.Promise = real.Promise;
  const actions = subjects[subject](classes, options, note);
  for (const [name, ...args] of steps) {
    try {
      if (name === "advance") await advance(args[0]);
      else actions[name](...args);
    } catch (error) {
      note("threw", name, error?.constructor?.name, String(error?.message));
    }
  }
  return log;
}

/** Plays each script on its own and returns their logs. */
export async function play(subject, scripts) {
  const logs = [];
  for (const script of scripts) logs.push(await playOne(subject, script));
  return JSON.parse(JSON.stringify(logs)); // undefined becomes null
}

const PUBLIC = {
  EventEmitter: ["on", "once", "off", "emit", "listenerCount"],
  PriorityQueue: ["size", "isEmpty", "enqueue", "dequeue", "peek", "clear", "toArray"],
  TaskQueue: ["add", "getTask", "getStats", "pause", "resume", "clear", "drain"],
  RateLimiter: ["available", "tryAcquire", "acquire", "schedule"],
  ScheduledTaskRunner: ["schedule", "cancel", "stop", "list"],
};

/** Of each class that the file exports, the public names that its instances have; null for one that is missing. */
export function interfaces() {
  const { TaskQueue } = exported;
  const needed = { RateLimiter: [1, 1000], ScheduledTaskRunner: [TaskQueue ? new TaskQueue() : null] };
  const namesOf = (name) => {
    const instance = new exported[name](...(needed[name] ?? []));
    return PUBLIC[name].filter((one) => one in instance);
  };
  return Object.fromEntries(CLASSES.map((name) => [name, exported[name] ? namesOf(name) : null]));
}
