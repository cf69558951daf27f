// 640 MB in many files of the workspace and of /tmp.
//
// limits: file_mb=20 disk_mb=60
// hits: disk_mb
// leaves: 300 MB

import fs from 'node:fs';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

const block = Buffer.alloc(16 << 20, 'x');
for (let count = 0; count < 20; count++) {
  fs.writeFileSync(`big-${count}`, block);
  fs.writeFileSync(`${os.tmpdir()}/big-${count}`, block);
  await sleep(10);
}
await sleep(20_000);
