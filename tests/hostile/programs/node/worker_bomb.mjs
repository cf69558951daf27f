// Starts 60 worker threads that spin.
//
// limits: processes=40 cpu_s=3
// hits: processes or memory_mb or cpu_s
// at most: 80 processes

import { Worker } from 'node:worker_threads';
import { quietly } from './attack.mjs';

for (let count = 0; count < 60; count++) {
  const worker = quietly(() => new Worker('const end = Date.now() + 20000; while (Date.now() < end);', { eval: true }));
  worker?.on('error', () => {});
}
setTimeout(() => {}, 20_000);
