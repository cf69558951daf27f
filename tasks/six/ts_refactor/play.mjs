/**
 * Plays scripts against a module and tells what happened, on a virtual clock.
 *
 * A script is {options, steps}, a step is [name, ...arguments]; the steps of each class stand with it below. What comes
 * back is a log of observations, [milliseconds since the start, what, ...], and no verdict: what would have been right
 * is known outside.
 *
 * The module runs in a world of its own that holds the language and nothing of the host, so that only the code that was
 * measured can run: no text becomes code there, nothing can be imported, and no function tells how it is written.
 */
import vm from "node:vm";

const NAMES = [
  ...["LOG_LEVELS", "formatEntry", "Logger", "CacheStore"],
  ...["cacheKey", "PipelineError", "RequestPipeline", "withRetry", "withCache"],
];
const MOST_TICKS = 10_000;
process.on("unhandledRejection", () => {}); // printing one would hand functions of the host to it

/** Plays each script on its own. Returns their logs, and how often code was to be made at run time. */
export function play(script, subject, scripts) {
  // No object of the host ever enters: what comes back are texts.
  const context = vm.createContext(Object.create(null), {
    codeGeneration: { strings: false, wasm: false },
    microtaskMode: "afterEvaluate",
  });
  const run = (code) => vm.runInContext(code, context);
  run(`const probe = (${world})();`);
  const declared = NAMES.map((name) => `${name}: typeof ${name} === "undefined" ? undefined : ${name}`);
  run(`probe.load(async (exports) => {${script}\nreturn {${declared}};})`);
  run(`probe.play(${JSON.stringify(subject)}, ${JSON.stringify(JSON.stringify(scripts))})`);
  for (let tick = 0; tick < MOST_TICKS; tick += 1) {
    const result = run("probe.result()");
    if (typeof result === "string") return told(JSON.parse(result));
    if (run("probe.tick()") !== true) break;
  }
  throw new Error("the module waits for what never comes");
}

function told({ error, made, logs }) {
  if (error === undefined) return { made, logs };
  return { made, logs: [], error: String(error).slice(0, 400) };
}

/** What is set up in the module's world before the module is. Its text is all that the world gets of this file. */
function world() {
  "use strict";
  const { parse, stringify } = JSON;
  const real = { Date };
  const clock = { now: 0 };
  const START = Date.UTC(2024, 0, 1);
  let made = 0;
  let result;
  let module;

  // ---- what is global

  class VirtualDate extends real.Date {
    constructor(...args) { super(...(args.length > 0 ? args : [clock.now])); }
    static now() { return clock.now; }
  }
  const fixed = (owner, values) => {
    for (const [name, value] of Object.entries(values)) {
      Object.defineProperty(owner, name, { value, writable: false, configurable: false });
    }
  };
  /** In place of whatever makes code of texts, which would be refused all the same. */
  function Maker() {
    made += 1;
    throw new EvalError("no code is made at run time here");
  }
  Maker.prototype = Function.prototype; // for `instanceof Function`
  for (const one of [function () {}, async function () {}, function* () {}, async function* () {}]) {
    fixed(Object.getPrototypeOf(one), { constructor: Maker });
  }
  fixed(Function.prototype, { toString() { return "function () { [code] }"; } });
  fixed(Error, { stackTraceLimit: 0, prepareStackTrace: undefined });
  fixed(globalThis, { eval: Maker, Function: Maker, WebAssembly: undefined });

  /** A deep copy of plain values, dates, maps and sets; functions and the like cannot be copied. */
  function clone(value, copies = new Map()) {
    if (typeof value === "function" || typeof value === "symbol") throw new TypeError("could not be cloned");
    if (typeof value !== "object" || value === null) return value;
    if (copies.has(value)) return copies.get(value);
    const kept = (copy) => { copies.set(value, copy); return copy; };
    if (value instanceof real.Date) return kept(new real.Date(value.getTime()));
    if (value instanceof Map) {
      const copy = kept(new Map());
      value.forEach((each, key) => copy.set(clone(key, copies), clone(each, copies)));
      return copy;
    }
    if (value instanceof Set) {
      const copy = kept(new Set());
      value.forEach((each) => copy.add(clone(each, copies)));
      return copy;
    }
    const copy = kept(Array.isArray(value) ? [] : {});
    for (const [key, each] of Object.entries(value)) {
      const own = { value: clone(each, copies), writable: true, enumerable: true, configurable: true };
      Object.defineProperty(copy, key, own);
    }
    return copy;
  }

  const timers = new Map();
  let lastTimer = 0;
  const setTimeout = (callback, ms = 0, ...args) => {
    timers.set((lastTimer += 1), { ms: Number(ms) || 0, call: () => callback(...args) });
    return lastTimer;
  };
  const quiet = () => {};
  Object.assign(globalThis, {
    Date: VirtualDate, setTimeout,
    clearTimeout: (id) => void timers.delete(id),
    structuredClone: (value) => clone(value),
    performance: { now: () => clock.now },
    console: { debug: quiet, info: quiet, log: quiet, warn: quiet, error: quiet },
  });

  // ---- what is played

  const now = () => clock.now;
  /** `undefined` has no JSON; `clock: true` asks for a clock of one's own instead of the host's. */
  const seen = (value) => (value === undefined ? "(nothing)" : value);
  const withClock = ({ clock: own, ...options }) => (own ? { ...options, now } : options);

  const subjects = {
    /** Loggers go by a name, the first is "root"; sinks by a number. */
    Logger({ Logger, LOG_LEVELS, formatEntry }, { sinks, ...options }, note) {
      const passed = { ...withClock(options), ...(sinks && { sinks: [] }) };
      for (let number = 1; number <= (sinks ?? 0); number += 1) {
        passed.sinks.push((entry) => note("entry", number, { ...entry, fields: { ...entry.fields } }));
      }
      const loggers = { root: new Logger(passed) };
      return {
        debug: (name, ...args) => void loggers[name].debug(...args),
        info: (name, ...args) => void loggers[name].info(...args),
        warn: (name, ...args) => void loggers[name].warn(...args),
        error: (name, ...args) => void loggers[name].error(...args),
        lazy: (name, text, fields) => void loggers[name].debug(() => { note("asked", text); return text; }, fields),
        failure: (name, kind, text, fields) => {
          loggers[name].error(Object.assign(new Error(text), { name: kind }), fields);
        },
        shouldLog: (name, level) => note("shouldLog", level, loggers[name].shouldLog(level)),
        count: (name, level) => note("count", level, loggers[name].count(level)),
        child: (name, child, ...args) => { loggers[child] = loggers[name].child(...args); },
        /** What the caller does with its own objects afterwards is no business of the logger. */
        meddle: () => {
          passed.sinks?.push(() => note("entry", "of a sink that came too late"));
          if (passed.fields) passed.fields.late = true;
        },
        format: (entry) => note("line", formatEntry(entry)),
        levels: () => note("levels", [...LOG_LEVELS]),
      };
    },

    CacheStore({ CacheStore }, options, note) {
      const store = new CacheStore(withClock(options));
      return {
        get: (key) => note("get", key, seen(store.get(key))),
        has: (key) => note("has", key, store.has(key)),
        set: (...args) => void store.set(...args),
        delete: (key) => note("delete", key, store.delete(key)),
        keys: () => note("keys", [...store.keys()]),
        stats: () => note("stats", { ...store.stats() }),
        /** What the store has handed out is the caller's. */
        meddle: () => {
          store.keys().push("meddled");
          store.stats().hits += 100;
        },
      };
    },

    /** The transport gives its `answers` in turn, again and again: {ms, status, body} or {ms, fails, kind}. */
    RequestPipeline(module, { answers, level, ...options }, note) {
      const { Logger, CacheStore, RequestPipeline, PipelineError, withRetry, withCache, cacheKey } = module;
      let calls = 0;
      const transport = async (request) => {
        const { ms = 0, fails, kind, ...response } = answers[calls++ % answers.length];
        note("sent", request);
        clock.now += ms;
        if (kind === "text") throw fails;
        if (kind === "own") throw new PipelineError(fails, request, 418);
        if (fails) throw new TypeError(fails);
        return response;
      };
      const sleep = async (ms) => { note("slept", ms); clock.now += ms; };
      const logger = new Logger({ level, now, sinks: [(entry) => note("logged", entry)] });
      const pipeline = new RequestPipeline({ ...withClock(options), transport, logger });
      const middleware = {
        retry: (retry) => withRetry({ ...retry, sleep }),
        cache: (cache) => withCache(new CacheStore({ ...cache, now })),
        tag: (name) => async (request, next) => {
          note("enters", name);
          const response = await next({ ...request, headers: { ...request.headers, [name]: "was here" } });
          note("leaves", name, response.status);
          return { ...response, body: [name, response.body] };
        },
        answer: (status) => async () => ({ status, body: "at once" }),
        breaks: (text) => async () => { throw new RangeError(text); },
      };
      const told = async (answer) => {
        try {
          note("answer", await answer());
        } catch (error) {
          const { name, message, status, request } = error;
          const isError = error instanceof Error;
          note("failed", name, message, seen(status), seen(request), isError, error instanceof PipelineError);
        }
      };
      return {
        use: (kind, argument) => note("chained", pipeline.use(middleware[kind](argument)) === pipeline),
        get: (...args) => told(() => pipeline.get(...args)),
        post: (...args) => told(() => pipeline.post(...args)),
        delete: (...args) => told(() => pipeline.delete(...args)),
        key: (request) => note("key", cacheKey(request)),
        fail: (...args) => told(() => { throw new PipelineError(...args); }),
      };
    },
  };

  async function playOne(module, subject, { options, steps }) {
    clock.now = START;
    const log = [];
    const note = (...entry) => void log.push(clone([clock.now - START, ...entry]));
    const noteError = (step, error) => note("threw", step, String(error?.name), String(error?.message));
    let actions;
    try {
      actions = subjects[subject](module, options, note);
    } catch (error) {
      noteError("new", error);
      return log;
    }
    for (const [name, ...args] of steps) {
      try {
        if (name === "advance") clock.now += args[0];
        else await actions[name](...args);
      } catch (error) {
        noteError(name, error);
      }
    }
    return log;
  }

  const failed = (error) => {
    let text = "cannot be told";
    try {
      text = `${error?.name}: ${error?.message}`;
    } catch {
      // It throws when it is read.
    }
    result = stringify({ error: text, made, logs: [] });
  };

  return {
    /** Takes what the module exports. What it only declares is taken too: a forgotten export is judged elsewhere. */
    load(body) {
      const exports = {};
      module = body(exports).then((declared) => ({ ...declared, ...exports }));
      module.catch(failed);
    },
    async play(subject, text) {
      try {
        const found = await module;
        const logs = [];
        for (const one of parse(text)) logs.push(await playOne(found, subject, one));
        result ??= stringify({ made, logs }); // undefined goes
      } catch (error) {
        failed(error);
      }
    },
    result: () => result,
    /** Calls back the timer that is due first; whether there was one. */
    tick() {
      const [first] = [...timers].sort(([, a], [, b]) => a.ms - b.ms);
      if (!first) return false;
      timers.delete(first[0]);
      first[1].call();
      return true;
    },
  };
}
