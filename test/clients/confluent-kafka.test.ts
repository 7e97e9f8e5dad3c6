// confluent-kafka: librdkafka, from Python.
import { pythonProgram } from '../support/python.js';
import { scenarioTests } from '../support/scenarios.js';

await scenarioTests('confluent-kafka', await pythonProgram('confluent_client'));
