// Connects to a service of this machine and to the world, by TCP, HTTP and name.

import dns from 'node:dns/promises';
import net from 'node:net';
import { attempt, done, target } from './attack.mjs';

const say = (options) =>
  new Promise((resolve, reject) => {
    const socket = net.connect({ ...options, timeout: 1000 }, () => socket.end('hello', () => resolve('connected')));
    socket.on('error', reject);
    socket.on('timeout', () => { socket.destroy(); reject(new Error('timeout')); });
  });
for (const host of ['127.0.0.1', '::1', '0.0.0.0']) {
  await attempt(host, () => say({ host, port: Number(target('TCP')) }));
}
await attempt('the world', () => say({ host: '192.0.2.1', port: 80 }));
await attempt('HTTP', () => fetch(`http://127.0.0.1:${target('TCP')}/`));
await attempt('HTTP to a cloud', () => fetch('http://169.254.169.254/', { signal: AbortSignal.timeout(1000) }));
await attempt('name', () => new dns.Resolver({ timeout: 300, tries: 1 }).resolve4('example.com'));
done();
process.exit(0);
