/**
 * Plays scripts against a module and tells what happened, on a virtual clock.
 *
 * A script is {options, steps}, a step is [name, ...arguments]; the steps of each class stand with it below. What comes
 * back is a log of observations, [milliseconds since the start, what, ...], and no verdict: what would have been right
 * is known outside.
 */
const real = { Date };
const clock = { now: 0 };
const START = Date.UTC(2024, 0, 1);
class VirtualDate extends real.Date {
  constructor(...args) { super(...(args.length > 0 ? args : [clock.now])); }
  static now() { return clock.now; }
}
globalThis.Date = VirtualDate;

const NAMES = [
  ...["LOG_LEVELS", "formatEntry", "Logger", "CacheStore"],
  ...["cacheKey", "PipelineError", "RequestPipeline", "withRetry", "withCache"],
];

/** What the module exports. What it only declares is taken too: a forgotten export is judged elsewhere. */
async function load(script) {
  const declared = NAMES.map((name) => `${name}: typeof ${name} === "undefined" ? undefined : ${name}`);
  const text = `${script}\nexport const declaredHere = {${declared}};`;
  const module = await import(`data:text/javascript,${encodeURIComponent(text)}`);
  return Object.fromEntries(NAMES.map((name) => [name, module[name] ?? module.declaredHere[name]]));
}

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
  const note = (...entry) => void log.push(structuredClone([clock.now - START, ...entry]));
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

/** Plays each script on its own and returns their logs. */
export async function play(script, subject, scripts) {
  const module = await load(script);
  const logs = [];
  for (const one of scripts) logs.push(await playOne(module, subject, one));
  return JSON.parse(JSON.stringify(logs)); // undefined goes
}
