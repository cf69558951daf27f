// Writes without end, control characters and broken UTF-8 among it.
//
// limits: output_bytes=100000
// hits: output_bytes
// afterwards: show output

import fs from 'node:fs';

const block = Buffer.from('\x1b[31m\x9b\u202e'.repeat(1000) + 'x', 'latin1');
const end = Date.now() + 60_000;
while (Date.now() < end) fs.writeSync(1, block);
