// sarama, of Go.
import { goProgram } from '../support/go.js';
import { scenarioTests } from '../support/scenarios.js';

await scenarioTests('sarama', await goProgram('sarama'));
