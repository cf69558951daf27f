// Leaves links, and a very large file, where a grader looks for its results.
//
// refuses: link, up, folder/secret.txt, huge

import fs from 'node:fs';
import path from 'node:path';
import { done, target } from './attack.mjs';

fs.symlinkSync(target('SECRET'), 'link');
fs.symlinkSync('../'.repeat(30) + target('TESTS').slice(1), 'up');
fs.symlinkSync(path.dirname(target('SECRET')), 'folder');
fs.writeFileSync('huge', '');
fs.truncateSync('huge', 20 << 20);
done();
