// Starts 256 processes, in sessions of their own.
//
// limits: processes=60
// hits: processes
// at most: 100 processes

import { spawn } from 'node:child_process';
import { quietly } from './attack.mjs';

for (let count = 0; count < 256; count++) {
  const child = quietly(() => spawn('sleep', ['20'], { detached: true, stdio: 'ignore' }));
  child?.on('error', () => {});
}
setTimeout(() => {}, 20_000);
