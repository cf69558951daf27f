/**
 * Lets an untrusted module act in a process of its own, and notes from outside what that process reports.
 *
 * The actor, a small module given as text, imports the untrusted file there and obeys commands, one at a time. A
 * command is sent when the report of the one before it has come: what has not been sent yet is nowhere in that
 * process, so nothing there can look ahead. Reports carry a secret that only the actor's side of the channel holds.
 *
 * An actor exports `load(file, done)`, which reports what it found, and `obey(command, done)`. Both report JSON text.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";

const CHANNEL = 3;
const FLAGS = process.allowedNodeEnvironmentFlags;

/** Beside the process boundary: no look into other processes by way of /proc, no workers, no children, no inspector. */
const CONFINED = ["--permission", "--experimental-permission"]
  .filter((flag) => FLAGS.has(flag))
  .slice(0, 1)
  .flatMap((flag) => [flag, `--allow-fs-read=${process.env.WORKSPACE}/*`]);

/** The actor's side. What it uses is taken before the untrusted code comes, which may replace anything but that. */
async function inside(channel) {
  const { readSync, writeSync } = await import("node:fs");
  const { parse, stringify } = JSON;
  const { from, alloc } = Buffer;
  const { setImmediate } = globalThis;
  const exit = process.reallyExit.bind(process);
  const textOf = Function.prototype.call.bind(Buffer.prototype.latin1Slice);
  const incoming = alloc(1 << 16);

  /** The next line, which is ASCII. Blocks: while the other side has its turn, no time passes here. */
  function hear() {
    let line = "";
    for (;;) {
      const size = readSync(channel, incoming, 0, 1 << 16, null);
      if (size === 0) exit(0);
      line += textOf(incoming, 0, size);
      if (incoming[size - 1] === 10) return parse(line);
    }
  }

  const { nonce, file, actor } = hear();

  function say(report) {
    const bytes = from(`${nonce} ${report}\n`);
    const size = bytes.length;
    for (let sent = 0; sent < size; ) sent += writeSync(channel, bytes, sent, size - sent);
  }

  const { load, obey } = await import(`data:text/javascript,${encodeURIComponent(actor)}`);
  const answer = (report) => {
    say(report);
    setImmediate(next);
  };
  const next = () => {
    obey(hear(), answer);
  };
  setInterval(() => {}, 1e9); // whatever is done or undone over there, this process waits for commands
  load(file, answer, (error) => say(`{"broken":${stringify(error)}}`));
}

let broken; // why no further process is worth a try

/** One process of the actor's. */
class Stage {
  static #current;

  /** The one that there is, or a new one. */
  static async open(actor, file) {
    if (broken) throw new Error(broken);
    if (!Stage.#current?.alive) {
      Stage.#current = new Stage();
      await Stage.#current.begin(actor, file);
    }
    return Stage.#current;
  }

  alive = true;
  #nonce = randomBytes(16).toString("hex");
  #waiting;
  #process;
  #channel;

  constructor() {
    const flags = [...CONFINED, "--unhandled-rejections=strict", "--no-warnings"];
    const code = ["--input-type=module", "-e", `(${inside})(${CHANNEL})`];
    this.#process = spawn(process.execPath, [...flags, ...code], { stdio: ["ignore", 2, 2, "pipe"] });
    this.#channel = this.#process.stdio[CHANNEL];
    this.#channel.on("error", () => this.#end());
    this.#process.on("exit", () => this.#end());
    process.on("exit", () => this.#process.kill("SIGKILL"));
    const lines = createInterface({ input: this.#channel });
    lines.on("line", (line) => this.#heard(line));
    lines.on("close", () => this.#end());
  }

  async begin(actor, file) {
    try {
      this.loaded = await this.#ask({ nonce: this.#nonce, file, actor });
      if (this.loaded?.broken !== undefined) throw new Error(this.loaded.broken);
    } catch (error) {
      broken = `while it was imported: ${error.message}`;
      this.#end();
      throw new Error(broken);
    }
  }

  /** Sends one command and waits for its report. */
  ask(command) { return this.#ask(command); }

  #ask(message) {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      const ascii = JSON.stringify(message).replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
      this.#channel.write(`${ascii}\n`);
    });
  }

  #heard(line) {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    try {
      if (!waiting || !line.startsWith(`${this.#nonce} `)) throw new Error("not what the actor says");
      waiting.resolve(JSON.parse(line.slice(this.#nonce.length + 1)));
    } catch {
      waiting?.reject(new Error("the module has answered in the probe's place"));
      this.#end();
    }
  }

  #end() {
    this.alive = false;
    this.#process.kill("SIGKILL");
    this.#waiting?.reject(new Error("its process ended before it was done"));
    this.#waiting = undefined;
  }
}

/** Plays scenes, each a list of commands; returns what was found at the beginning, and the reports of each scene. */
export async function perform(actor, file, scenes) {
  const stage = await Stage.open(actor, `${process.env.WORKSPACE}/${file}`);
  const reports = [];
  for (const commands of scenes) {
    const scene = [];
    for (const command of commands) scene.push(await stage.ask(command));
    reports.push(scene);
  }
  return { loaded: stage.loaded, reports };
}
