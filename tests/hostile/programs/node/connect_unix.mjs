// Connects to unix sockets of this machine by path and by abstract name.

import net from 'node:net';
import { attempt, done, target } from './attack.mjs';

const say = (path) =>
  new Promise((resolve, reject) => {
    const socket = net.connect({ path }, () => socket.end('hello', () => resolve('connected')));
    socket.on('error', reject);
  });
for (const path of [target('UNIX'), `/proc/1/root${target('UNIX')}`, `\0${target('ABSTRACT')}`, '/run/docker.sock']) {
  await attempt(path, () => say(path));
}
done();
