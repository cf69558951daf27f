// Kills the grader's helper, its parents and, where the helper is out of reach, everybody.

import { done, quietly, target } from './attack.mjs';

done();
const pid = Number(target('PID'));
let alone = true;
try {
  process.kill(pid, 'SIGKILL');
  alone = false;
} catch { /* out of reach */ }
if (alone) {
  process.on('SIGTERM', () => {});
  quietly(() => process.kill(1, 'SIGTERM'));
  quietly(() => process.kill(0, 'SIGTERM'));
  quietly(() => process.kill(-1, 'SIGTERM'));
}
