// Loaded into a broker by NODE_OPTIONS=--import: SIGUSR2 collects its garbage, since a heap that nobody needs is given back when V8 sees fit.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
process.on('SIGUSR2', () => collect());
