// Takes 1 GB outside of the JavaScript heap.
//
// limits: memory_mb=200
// hits: memory_mb
// holds: 600 MB

import { held } from './attack.mjs';

const blocks = [];
for (let count = 1; count <= 64; count++) {
  blocks.push(Buffer.alloc(16 << 20, 'x'));
  held(16 * count);
}
setTimeout(() => blocks.length, 20_000);
