// Ignores every signal that can be ignored and waits for ever.
//
// limits: wall_s=0.7
// hits: wall_s

import os from 'node:os';
import { quietly } from './attack.mjs';

for (const signal of Object.keys(os.constants.signals)) quietly(() => process.on(signal, () => {}));
setInterval(() => {}, 1000);
