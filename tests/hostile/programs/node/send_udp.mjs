// Sends datagrams to a service of this machine, by broadcast too.

import dgram from 'node:dgram';
import { done, target } from './attack.mjs';

const send = (kind, host) =>
  new Promise((resolve) => {
    const socket = dgram.createSocket(kind);
    const close = () => { try { socket.close(); } catch { /* it never was open */ } resolve(); };
    socket.on('error', close);
    try {
      socket.send('hello', Number(target('UDP')), host, close);
    } catch {
      close();
    }
  });
await send('udp4', '127.0.0.1');
await send('udp6', '::1');
await send('udp4', '255.255.255.255');
done();
process.exit(0);
