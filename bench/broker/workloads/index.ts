import { type Workload } from '../stage.js';
import { b1 } from './b1.js';
import { b2 } from './b2.js';
import { b3 } from './b3.js';
import { b4 } from './b4.js';
import { b5 } from './b5.js';
import { b7 } from './b7.js';
import { b8 } from './b8.js';
import { b9 } from './b9.js';
import { compaction } from './compaction.js';
import { endToEnd } from './end-to-end.js';
import { fetch } from './fetch.js';
import { paced } from './paced.js';
import { produce } from './produce.js';

/** In the order in which they run. */
export const brokerWorkloads: readonly Workload[] = [produce, paced, fetch, endToEnd, b1, b8, b9, b7, b5, b2, compaction, b3, b4];
