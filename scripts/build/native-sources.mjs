// Prints the C++ files of the addon, one a line: binding.gyp takes its sources from here, so that a new file needs no entry.
import { filesBelow } from './stamp.mjs';

process.stdout.write(filesBelow('native', ['.cc']).join('\n') + '\n');
