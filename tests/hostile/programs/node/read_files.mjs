// Reads the secret file, a home folder's dotfiles and hidden tests: by name, upwards, as module, as data of a worker.

import fs from 'node:fs';
import path from 'node:path';
import { attempt, done, look, target } from './attack.mjs';

for (const name of [target('SECRET'), `${target('HOME')}/.netrc`, target('TESTS')]) {
  const up = '../'.repeat(30) + name.slice(1);
  for (const way of [name, up, `/proc/1/root${name}`, `/proc/${target('PID')}/cwd${name}`, `/proc/self/root${name}`]) {
    await look(way, () => fs.readFileSync(way));
    await look(`stream ${way}`, async () => Buffer.concat(await fs.createReadStream(way).toArray()));
    await look(`as text ${way}`, () => import(`file://${path.resolve(way)}`, { with: { type: 'json' } }));
  }
}
await attempt('list the home folder', () => fs.readdirSync(target('HOME')));
await attempt('watch it', () => fs.watch(target('HOME')).close());
done();
