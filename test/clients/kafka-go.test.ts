// kafka-go, by Segment.
import { goProgram } from '../support/go.js';
import { scenarioTests } from '../support/scenarios.js';

await scenarioTests('kafka-go', await goProgram('segmentio'));
