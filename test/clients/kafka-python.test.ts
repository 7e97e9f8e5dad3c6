// kafka-python: the client in nothing but Python.
import { pythonProgram } from '../support/python.js';
import { scenarioTests } from '../support/scenarios.js';

await scenarioTests('kafka-python', await pythonProgram('kafka_python_client'));
