// An honest program: files of its own, a child process, a worker thread, timers, standard input, compression.
//
// stdin: three words here
// prints: 3 words, child says 1, worker says 16, 1000 bytes

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import zlib from 'node:zlib';

const words = fs.readFileSync(0, 'utf8').trim().split(/\s+/).length;
fs.mkdirSync('results/deeper', { recursive: true });
fs.writeFileSync('results/deeper/größe.txt', 'text');
fs.renameSync('results/deeper/größe.txt', 'results/moved.txt');
fs.symlinkSync('moved.txt', 'results/soft');
const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'honest-'));
fs.writeFileSync(path.join(temporary, 'x'), 'x'.repeat(1_000_000));
const child = execFileSync(process.execPath, ['-p', '1'], { encoding: 'utf8' }).trim();
const code = 'const { parentPort, workerData } = require("node:worker_threads"); parentPort.postMessage(workerData ** 2)';
const worker = new Worker(code, { eval: true, workerData: 4 });
const squared = await new Promise((resolve) => worker.once('message', resolve));
await sleep(5);
const round = zlib.gunzipSync(zlib.gzipSync(Buffer.alloc(1000, 'x')));
if (fs.readFileSync('results/soft', 'utf8') !== 'text') throw new Error('lost');
console.log(`${words} words, child says ${child}, worker says ${squared}, ${round.length} bytes`);
