// Leaves detached children behind that hold the output open and ignore being told to end.

import { spawn } from 'node:child_process';
import { done, target } from './attack.mjs';

spawn('sh', ['-c', 'trap "" TERM HUP; sleep 60'], { detached: true, stdio: 'inherit' }).unref();
spawn('setsid', ['sleep', `60.${target('TOKEN')}`], { detached: true, stdio: 'ignore', env: {} }).unref();
done();
