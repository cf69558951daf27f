// An honest program that serves HTTP to itself over loopback, as a task with servers under test asks for.
//
// loopback: yes
// prints: 200 hello

import http from 'node:http';

const server = http.createServer((request, response) => response.end('hello'));
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const response = await fetch(`http://127.0.0.1:${server.address().port}/`);
console.log(response.status, await response.text());
server.close();
server.closeAllConnections();
