// franz-go.
import { goProgram } from '../support/go.js';
import { scenarioTests } from '../support/scenarios.js';

await scenarioTests('franz-go', await goProgram('franz'));
