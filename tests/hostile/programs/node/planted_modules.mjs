// Plants packages, settings and start-up options for Node in the workspace: a later call must not run them.
//
// afterwards: call node

import fs from 'node:fs';
import { done } from './attack.mjs';

const planted = 'process.stdout.write("GOT THROUGH: planted"); process.exit(0);';
for (const name of ['fs', 'node:fs', 'path', 'module', 'process']) {
  fs.mkdirSync(`node_modules/${name}`, { recursive: true });
  fs.writeFileSync(`node_modules/${name}/index.js`, planted);
}
fs.writeFileSync('package.json', JSON.stringify({ imports: { '#x': './x.js' }, scripts: { preinstall: planted } }));
fs.writeFileSync('.npmrc', 'node-options=--require ./planted.js\nscript-shell=./planted.js\n');
fs.writeFileSync('.env', 'NODE_OPTIONS=--require=./planted.js\n');
fs.writeFileSync('node.config.json', '{"nodeOptions": {"import": ["./planted.js"]}}');
fs.writeFileSync('planted.js', planted);
fs.writeFileSync('answer.js', 'exports.answer = () => 42;\n');
done();
