// Runs npm with a script that reads the secret, writes outside and connects, as installing a package would.

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { done, say, target } from './attack.mjs';

const script = `cat ${target('SECRET')} ${target('HOME')}/.netrc; echo left > ${target('REAL_HOME')}/${target('TOKEN')}.left`;
fs.writeFileSync('package.json', JSON.stringify({ name: 'x', version: '1.0.0', scripts: { preinstall: script, test: script } }));
for (const [program, ...args] of [['npm', 'install', '--offline'], ['npm', 'test'], [process.execPath, '--run', 'test'], ['sh', '-c', script]]) {
  const ran = spawnSync(program, args, { encoding: 'utf8', timeout: 4000 });
  say(`${program}: ${ran.status} ${(ran.stdout ?? '').match(/CANARY-\w+/g) ?? ''} ${ran.error?.code ?? ''}`);
}
done();
